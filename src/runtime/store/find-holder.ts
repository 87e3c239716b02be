import { WorkflowError } from '../../diagnostics/index.js';
import { storeLinkVariable } from '../../ir/index.js';
import { thisHost } from '../job/job-environment.js';
import { layOut } from '../supervisor/cluster-layout.js';
import { writeJsonLine } from '../supervisor/json-lines.js';
import type { Holder } from './holder.js';
import { joinSupervisor } from './join-supervisor.js';

/**
 * The supervisor of this store's process: of one that a launcher has started at the other end of a link, else at that of the pipes. It may tell
 * the process more of its environment, which is then in `env`. Throws RUN1022 for one that cannot be reached.
 */
export async function findHolder(env: NodeJS.ProcessEnv, id: string, kind: 'link' | 'pipe'): Promise<Holder> {
  const told = toldToEnd();
  const place = env[storeLinkVariable] ?? '';
  // Processes that the store starts are not to know it.
  delete env[storeLinkVariable];
  if (kind === 'pipe') return pipes(told);
  if (place === '') {
    throw new WorkflowError({
      code: 'RUN1022',
      message: `${thisHost()} does not know the supervisor of this job: its launcher has not handed on ${storeLinkVariable}`,
      hint: 'the launcher of stores has to hand on the environment, or at least the variables that its line names',
    });
  }
  const link = await joinSupervisor(place, id, env);
  return { ...link, ended: Promise.race([link.ended, told]) };
}

function pipes(told: Promise<void>): Holder {
  process.stdout.on('error', () => {});
  const closed = new Promise<void>((resolve) => {
    const end = () => resolve();
    process.stdin.on('end', end).on('close', end).on('error', end).resume();
  });
  return {
    ended: Promise.race([closed, told]),
    say: (word) => writeJsonLine(process.stdout, word),
    // The process that holds the pipes is on the same host, and can ask the store itself.
    answer: () => {},
    // It is the only node.
    arrange: async (places, shards) => ({
      shards: layOut(places.slice(0, shards), places.slice(shards)),
      own: places.map((_, index) => index),
    }),
    hear: () => {},
    close: async () => {},
  };
}

/** Resolves when a signal says to end. */
function toldToEnd(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => resolve());
    // A job's time is nearly over: its supervisor ends the store after the applications.
    process.on('SIGUSR2', () => undefined);
  });
}
