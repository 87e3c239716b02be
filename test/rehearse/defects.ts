import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, experiment } from '../../src/index.js';
import type { AuthoredExperiment } from '../../src/ir/index.js';
import { type CompiledFolder, connects } from './support.js';

/** A defect of compiled scripts that a real Slurm shows as a rehearsal does. */
export interface Defect {
  readonly experiment: AuthoredExperiment;
  /** Brings it into the folder. */
  bring(folder: CompiledFolder): void;
  /** States of the jobs: `JOB STATE EXIT`. */
  readonly states: readonly string[];
  /** Part of what the logs of jobs and of the application say; empty where none runs into it. */
  readonly says: string;
}

/** A store on the first node, and two applications that reach it from both. */
export const coupled = experiment('flow')
  .batch({ walltime: '00:10:00' })
  .orchestrator({ apart: true })
  .model('solver', command(...connects).tasks(2));

export const lateDirective: Defect = {
  experiment: coupled,
  bring: ({ change }) =>
    change(
      'jobs/flow.sbatch',
      /#SBATCH --nodes=2\n((?:.*\n)*?)set -euo pipefail\n/,
      '$1set -euo pipefail\n#SBATCH --nodes=2\n',
    ),
  states: ['flow failed 1'],
  says: "error[RUN1020]: job 'flow' has 1 node, and its plan needs 2: too few for solver",
};

export const largeStep: Defect = {
  experiment: coupled,
  bring: ({ change }) =>
    change('jobs/flow.sbatch', '--ntasks=2 --ntasks-per-node=2', '--ntasks=64 --ntasks-per-node=64'),
  states: ['flow failed 1'],
  says: ': More processors requested than permitted\n',
};

export const wrongDependency: Defect = {
  experiment: experiment('flow')
    .model('mesh', command('true'))
    .batch({ nodes: 1 })
    .model('solver', command('true'))
    .after('mesh', 'completed')
    .batch({ nodes: 1 }),
  bring: ({ change }) => change('submit.sh', 'afterok', 'afternotok'),
  states: ['mesh completed 0', 'solver cancelled'],
  says: '',
};

/** Text of the logs of the jobs and of the application of a folder that has run. */
export function saidIn(dir: string): string {
  const logs = readdirSync(join(dir, 'logs')).map((name) => join(dir, 'logs', name));
  const files = [...logs, join(dir, 'run/solver/solver.err')].filter((path) => existsSync(path));
  return files.map((path) => readFileSync(path, 'utf8')).join('');
}
