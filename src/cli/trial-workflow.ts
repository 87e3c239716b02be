import type { CompileInput } from '../compiler/index.js';
import { command, experiment } from '../dsl/index.js';
import { authoredExperiment } from '../ir/index.js';

/** A small workflow that touches most of what a site decides: several tasks, an ensemble, one that waits. */
export function trialWorkflow(): CompileInput {
  const trial = experiment('trial')
    .batch({ walltime: '00:10:00' })
    .ensemble('sweep', command('hostname').tasks(1))
    .params({ N: [1, 2, 3] }, { asArgs: ['N'] })
    .model('analysis', command('hostname').tasks(1))
    .after('sweep');
  return { ...trial[authoredExperiment], file: `${process.cwd()}/trial.ts` };
}
