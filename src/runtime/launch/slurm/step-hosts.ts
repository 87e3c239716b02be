import { askSlurm } from './ask-slurm.js';

/** Milliseconds after which the accounting is not waited for any longer. */
const patienceMs = 5000;

/** Hosts of the job's steps by their names, as the accounting has them; of steps with one name the last. Empty where there is none. */
export async function stepHosts(env: NodeJS.ProcessEnv): Promise<ReadonlyMap<string, string>> {
  const job = env['SLURM_JOB_ID'];
  if (job === undefined) return new Map();
  const words = ['--noheader', '--parsable2', '--format=JobID,NodeList,JobName', `--jobs=${job}`];
  return readStepHosts((await askSlurm('sacct', words, env, patienceMs)) ?? '');
}

/** Reads lines of `JOB.STEP|NODES|NAME`. */
export function readStepHosts(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const [, nodes = '', name = ''] = /^[^|]+\.\d+\|([^|]+)\|(.*)$/.exec(line) ?? [];
      return nodes === '' ? [] : [[name, nodes] as const];
    }),
  );
}
