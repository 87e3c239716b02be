import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowError } from '../../diagnostics/index.js';
import { type ClusterShard, nameOfShard } from '../supervisor/cluster-layout.js';
import type { RedisStore } from './redis-store.js';

/** Milliseconds between two looks whether the servers agree, and within which they have to, not counting the time that it takes to copy data. */
const agreement = { lookMs: 25, mostMs: 30_000 };

/** Seconds for a server on another node to be reached, unless an option says otherwise; milliseconds between two attempts, and for one of them. */
const reach = { seconds: 20, pauseMs: 100, attemptMs: 3000 };

/**
 * Waits until a server serves its slots, or has all data of the one that it follows, and knows of all others; `bus` is what its report says once
 * its bus is as it is to be. @throws WorkflowError
 */
export async function agreed(
  server: RedisStore,
  shards: readonly ClusterShard[],
  index: number,
  bus: `${'ai' | 'simwright'}_bus_${'closed' | 'guarded'}`,
): Promise<void> {
  const wanted = ['cluster_state:ok', 'cluster_slots_ok:16384', `cluster_known_nodes:${shards.length}`];
  let until = performance.now() + agreement.mostMs;
  for (;;) {
    const said = (await clusterInfo(server)).split('\r\n');
    const lacking = wanted.filter((line) => !said.includes(line));
    const info = await server.refresh();
    const hasData = (info.get('master_link_status') ?? 'up') === 'up';
    if (lacking.length === 0 && hasData && info.get(bus) === '1') return;
    // However many data there are.
    if (info.get('master_sync_in_progress') === '1' || info.get('loading') === '1')
      until = performance.now() + agreement.mostMs;
    if (performance.now() > until) {
      const found = said.filter((line) => /^cluster_(state|slots_ok|known_nodes):/.test(line)).join(', ');
      const rest = `${info.get(bus) === '1' ? '' : ', its bus is open'}${hasData ? '' : ', it has not all data'}`;
      throw new WorkflowError({
        code: 'RUN1004',
        message: `${nameOfShard(shards, index)} did not become part of the cluster within ${agreement.mostMs / 1000} s: ${found}${rest}`,
      });
    }
    await sleep(agreement.lookMs);
  }
}

/** Empty while the server reads data and tells nothing else. */
async function clusterInfo(server: RedisStore): Promise<string> {
  try {
    return String(await server.send('CLUSTER', 'INFO'));
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('LOADING ')) return '';
    throw error;
  }
}

/** Options of a look whether another node can be reached. */
export interface ReachOptions {
  /** Host that looks. */
  readonly here: string;
  /** Seconds that it may take. Default 20. */
  readonly seconds?: number | undefined;
  /** True once nobody wants to know any more. */
  readonly isOver: () => boolean;
}

/** Waits until a server on another node takes a connection: clients there will want to reach this node, and those here that one. @throws WorkflowError */
export async function reached(
  shards: readonly ClusterShard[],
  index: number,
  { here, seconds = reach.seconds, isOver }: ReachOptions,
): Promise<void> {
  const place = shards[index] as ClusterShard;
  const until = performance.now() + seconds * 1000;
  for (;;) {
    const problem = await tryToConnect(place, Math.min(reach.attemptMs, seconds * 1000));
    if (problem === undefined || isOver()) return;
    if (performance.now() > until) {
      throw new WorkflowError({
        code: 'RUN1004',
        message: `${here} cannot reach ${nameOfShard(shards, index)} within ${seconds} s: ${problem}`,
        hint: 'all nodes of a store have to reach each other: networkInterface in the site names their network',
      });
    }
    await sleep(reach.pauseMs);
  }
}

/** Connects and lets go; returns why that is not possible. */
function tryToConnect({ host, port }: ClusterShard, timeout: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout });
    const end = (problem: string | undefined): void => {
      socket.destroy();
      resolve(problem);
    };
    socket.once('connect', () => end(undefined));
    socket.once('timeout', () => end('it does not answer'));
    socket.once('error', (error) => end(error.message));
  });
}
