import type { CompileInput } from '../compiler/index.js';
import { command, experiment } from '../dsl/index.js';
import { authoredExperiment, formatClock } from '../ir/index.js';

/** The job of a small workflow. */
export interface Trial {
  readonly queue?: string;
  readonly account?: string;
  readonly qos?: string;
  readonly constraint?: string;
  readonly nodes: number;
  readonly gpus: number;
  readonly walltimeSeconds: number;
}

/** A small workflow that touches most of what a site decides: several tasks, GPUs, an ensemble, one that waits. */
export function trialWorkflow({ nodes, gpus, walltimeSeconds, ...words }: Trial): CompileInput {
  const wide = command('hostname').tasks(nodes).nodes(nodes);
  const trial = experiment('trial')
    .batch({ ...words, walltime: formatClock(walltimeSeconds) })
    .ensemble('sweep', command('hostname').tasks(1))
    .params({ N: [1, 2, 3] }, { asArgs: ['N'] })
    .model('analysis', gpus === 0 ? wide : wide.gpusPerNode(gpus))
    .after('sweep');
  return { ...trial[authoredExperiment], file: `${process.cwd()}/trial.ts` };
}
