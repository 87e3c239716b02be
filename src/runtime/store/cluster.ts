import { readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import { type StandaloneStore, serversOnNode } from '../../ir/index.js';
import { ClusterStore } from '../engine/cluster-store.js';
import { thisHost } from '../job/job-environment.js';
import { checkpointFile, isCheckpoint } from '../job/paths.js';
import type { Orchestrator } from '../orchestrator/index.js';
import { type ShardPlace, shardOf } from '../supervisor/cluster-layout.js';
import { freePorts } from '../supervisor/free-port.js';
import type { Engine, EngineStart } from './engine.js';
import { findStorePrograms } from './find-programs.js';
import { listenPlace } from './listen-places.js';
import { storeOptions } from './store-options.js';

/** Milliseconds for the other servers of this node to save when one has died. */
const saveMs = 60_000;

/** Starts this node's servers of a store in several shards, when all its nodes are there. @throws WorkflowError */
export async function startCluster(
  start: EngineStart,
  store: StandaloneStore,
  hasWorker: boolean,
  load: (orchestrator: Orchestrator, start: EngineStart) => Promise<void>,
): Promise<Engine> {
  const { args, log } = start;
  assertAsManyShards(start, store);
  const places = await placesHere(start, store);
  const programs = await findStorePrograms(start);
  const part = await start.arrange(places, store.shards);
  const { shards, own } = part;
  log.write('info', `runs ${own.length} of ${shards.length} servers of ${store.shards} shards`);
  const options = new Map(
    await Promise.all(
      [...new Set(own.map((index) => shardOf(shards, index)))].map(
        async (shard) => [shard, await storeOptions(start, shard)] as const,
      ),
    ),
  );
  const cluster: ClusterStore = await ClusterStore.start({
    programs,
    shards,
    own,
    hasWorker,
    bundle: args.workerUrl,
    storeOf: (shard) => {
      const ofShard = options.get(shard);
      if (ofShard === undefined) throw new Error(`shard ${shard} does not run on this node`);
      // One AI layer runs for all servers of the node, on the CPUs of all.
      return { ...ofShard, intraOpThreads: store.intraOpThreads ?? store.cpus * own.length };
    },
    onDeath: (reason) => void endAfterDeath(start, cluster, reason),
    tell: (change) => start.say({ change }),
    log: (level, message) => {
      log.write(level, message);
      if (level !== 'info') process.stderr.write(`${message}\n`);
    },
  });
  start.hear((change) => cluster.hear(change));
  return {
    get addresses() {
      return cluster.addresses;
    },
    shards: cluster.ownShards,
    runId: cluster.runId,
    restored: cluster.restored,
    ready: () => load(cluster, start),
    stats: () => cluster.stats(),
    refreshStats: () => cluster.refreshStats(),
    stopWrites: () => cluster.stopWrites(),
    stop: (checkpoint) => cluster.close(checkpoint),
    isStuck: false,
  };
}

/** Places for servers on this node: as many as any node may have, on the ports that are wanted, or that the system gives. */
async function placesHere({ job, plan, args }: EngineStart, store: StandaloneStore): Promise<ShardPlace[]> {
  const place = await listenPlace(job, plan, store, args.port);
  if (place.kind !== 'tcp') throw new Error('a cluster listens on TCP');
  const count = serversOnNode(store, store.nodes);
  const free = await freePorts(2 * count, place.host);
  return Array.from({ length: count }, (_, index) => ({
    node: thisHost(),
    host: place.host,
    // On several nodes the supervisor deals the ports that users know.
    port:
      (store.nodes === 1 ? args.ports?.[index] : undefined) ??
      (place.port === 0 ? (free[index] ?? 0) : place.port + index),
    busPort: free[count + index] ?? 0,
  }));
}

/** The store is dead without one of its servers: the others save what is still needed, and the supervisor sees this process end. */
async function endAfterDeath(
  { job, plan, store, log }: EngineStart,
  cluster: ClusterStore,
  reason: string,
): Promise<void> {
  process.stderr.write(`${reason}\n`);
  log.write('error', reason);
  setTimeout(() => process.exit(1), saveMs).unref();
  try {
    const { isToBeSaved } = await import('../rerun/saving.js');
    await cluster.close(isToBeSaved(job, plan, store));
  } catch (error) {
    log.write('error', error instanceof Error ? error.message : String(error));
  } finally {
    process.exit(1);
  }
}

/** Throws RUN1044 if what is to be brought back was saved by another number of shards: its keys would be where nobody looks for them. */
export function assertAsManyShards({ job }: Pick<EngineStart, 'job'>, store: StandaloneStore): void {
  const expected = Array.from({ length: store.shards }, (_, shard) => checkpointFile(job, store, String(shard)));
  const names = new Set(expected.map((path) => basename(path)));
  const folder = dirname(expected[0] ?? '');
  const others = filesIn(folder).filter((name) => isCheckpoint(name) && !names.has(name));
  if (others.length === 0) return;
  const before = filesIn(folder).filter(isCheckpoint).length;
  throw new WorkflowError({
    code: 'RUN1044',
    message: `store '${store.name}' has ${store.shards} ${store.shards === 1 ? 'shard' : 'shards'}, and its checkpoint was saved by ${before}`,
    hint: `compile it with as many shards as before, or start afresh: submit.sh --fresh moves the checkpoint in run/stores/${store.name}/ aside`,
  });
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
