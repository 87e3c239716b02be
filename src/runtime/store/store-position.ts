import type { Store } from '../../ir/index.js';
import { launchers } from '../../targets/launchers/index.js';
import { type JobEnvironment, thisHost } from '../job/job-environment.js';

/** Variables in which launchers tell a process its number, those first that a step inherits from no other. */
const ranks = Object.values(launchers).flatMap(({ rankVariables }) => rankVariables);

/**
 * Number of this node among those of a colocated store, from 0: the next job, on other hosts, finds by it what this one has saved. The name of
 * the host where nothing tells it.
 */
export function storePosition(job: JobEnvironment, store: Store, env: NodeJS.ProcessEnv): string {
  const nodes = store.kind === 'colocated' ? store.nodes : 1;
  if (nodes === 1) return '0';
  const rank = ranks.map((name) => env[name] ?? '').find((value) => /^\d+$/.test(value));
  if (rank !== undefined && Number(rank) < nodes) return String(Number(rank));
  const index = job.hosts.findIndex((host) => host.split('.')[0] === thisHost());
  return index === -1 ? thisHost() : String(index);
}
