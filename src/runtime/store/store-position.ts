import type { Store } from '../../ir/index.js';
import { type JobEnvironment, thisHost } from '../job/job-environment.js';
import { rankAmong } from '../job/rank.js';

/**
 * Number of this node among those of a colocated store, from 0: the next job, on other hosts, finds by it what this one has saved. The name of
 * the host where nothing tells it.
 */
export function storePosition(job: JobEnvironment, store: Store, env: NodeJS.ProcessEnv): string {
  return String(rankAmong(store.kind === 'colocated' ? store.nodes : 1, job, env) ?? thisHost());
}
