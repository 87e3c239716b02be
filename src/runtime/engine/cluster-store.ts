import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import type {
  Orchestrator,
  OrchestratorOptions,
  OrchestratorStats,
  SavedStore,
  ShardStats,
  WarmUp,
} from '../orchestrator/index.js';
import {
  type ClusterChange,
  type ClusterShard,
  nameOfShard,
  nodesFile,
  shardOf,
  siblingOf,
} from '../supervisor/cluster-layout.js';
import { agreed, reached } from './cluster-agreement.js';
import { Failover } from './failover.js';
import type { EnginePrograms } from './find-engine.js';
import { RedisStore } from './redis-store.js';
import { startWorker, type WorkerLink } from './worker-link.js';

/** Options of the servers of a cluster on this node. */
export interface ClusterStoreOptions {
  readonly programs: EnginePrograms;
  /** All servers of the cluster: shards by their slots, then their replicas. */
  readonly shards: readonly ClusterShard[];
  /** Servers that run here, by their positions among all. */
  readonly own: readonly number[];
  /** Settings of those of a shard. */
  readonly storeOf: (shard: number) => OrchestratorOptions;
  /** Seconds in which the servers on other nodes have to be reached. Default 20. */
  readonly reachSeconds?: number;
  /** False for a store of data only. */
  readonly hasWorker: boolean;
  readonly bundle?: URL;
  /** Called when a shard has no server left, or the AI layer has died for good. */
  readonly onDeath: (reason: string) => void;
  /** In a cluster with replicas: tells the other nodes what becomes of the servers here, and people. */
  readonly tell?: (change: ClusterChange) => void;
  readonly log?: (level: 'info' | 'warn' | 'error', message: string) => void;
}

/** The servers of a cluster that run on this node, with one AI layer for all of them. */
export class ClusterStore implements Orchestrator {
  readonly #options: ClusterStoreOptions;
  readonly #servers = new Map<number, RedisStore>();
  /** Present in a cluster with replicas. */
  readonly #failover: Failover | undefined;
  #worker: WorkerLink | undefined;
  #folder = '';
  #isClosing = false;
  #isFormed = false;
  #endEarly: (reason: string) => void = () => undefined;
  /** Rejects when a server or the AI layer dies before the cluster is formed. */
  readonly #endBeforeFormed = new Promise<never>((_, reject) => {
    this.#endEarly = (message) => reject(new WorkflowError({ code: 'RUN1004', message }));
  });
  #closing: Promise<void> | undefined;

  private constructor(options: ClusterStoreOptions) {
    this.#options = options;
    const { shards, own, storeOf } = options;
    // Nobody may wait for it any more when it comes.
    this.#endBeforeFormed.catch(() => undefined);
    if (!shards.some(({ follows }) => follows !== undefined)) return;
    const { allow, peerCheck = true } = storeOf(shardOf(shards, own[0] ?? 0));
    const peers = { addresses: allow?.addresses ?? [], folder: allow?.folder, peerCheck };
    this.#failover = new Failover(shards, own, peers, {
      takeOver: (index) => this.#takeOver(index),
      restart: (index, now) => this.#restart(index, now),
      tell: (change) => options.tell?.(change),
      giveUp: (reason) => this.#dead(reason),
      log: (level, message) => options.log?.(level, message),
    });
  }

  /** Starts servers and worker; resolves when each of them knows the whole cluster. @throws WorkflowError */
  static async start(options: ClusterStoreOptions): Promise<ClusterStore> {
    const cluster = new ClusterStore(options);
    try {
      await Promise.race([cluster.#start(), cluster.#endBeforeFormed]);
      cluster.#isFormed = true;
      return cluster;
    } catch (error) {
      await cluster.close(false).catch(() => undefined);
      throw error;
    }
  }

  /** Addresses of those servers of this node that have slots. */
  get addresses(): readonly string[] {
    return this.#leaders.flatMap(([, { addresses }]) => addresses);
  }

  /** Positions of their shards, in the same order. */
  get ownShards(): readonly number[] {
    return this.#leaders.map(([index]) => shardOf(this.#options.shards, index));
  }

  /** Position and process id of the server of this node that has a shard's slots. @throws if it is elsewhere */
  leaderOf(shard: number): { readonly index: number; readonly pid: number } {
    const [index, server] = this.#leaders.find(([at]) => shardOf(this.#options.shards, at) === shard) ?? [];
    if (index === undefined) throw new Error(`shard ${shard} is not on this node`);
    return { index, pid: server?.pids.server ?? 0 };
  }

  /** Takes news of the servers of another node. */
  hear(change: ClusterChange): void {
    if (!this.#isClosing) void this.#failover?.hear(change);
  }

  /** Run id of its first server. */
  get runId(): string {
    return this.#inOrder[0]?.runId ?? '';
  }

  get restored(): readonly SavedStore[] {
    return this.#inOrder.flatMap(({ restored }) => restored);
  }

  get isStuck(): boolean {
    return false;
  }

  /** Process ids of the servers and the AI layer. */
  get pids(): { readonly servers: readonly number[]; readonly worker: number | undefined } {
    return { servers: this.#inOrder.map(({ pids }) => pids.server ?? 0), worker: this.#worker?.pid };
  }

  stats(): OrchestratorStats {
    const leaders = this.#leaders;
    const all = leaders.map(([, server]) => server.stats());
    const sum = (of: (stats: OrchestratorStats) => number) => all.reduce((total, one) => total + of(one), 0);
    const ofServers = { inferences: sum(({ inferences }) => inferences), workers: [] };
    const { inferences, workers } = this.#worker?.stats ?? ofServers;
    return {
      usedBytes: sum(({ usedBytes }) => usedBytes),
      keys: sum(({ keys }) => keys),
      clients: Math.max(0, ...all.map(({ clients }) => clients)),
      requests: sum(({ requests }) => requests),
      refused: sum(({ refused }) => refused),
      inferences,
      workers,
      shards: leaders.map(([index, { addresses, info }], at) => {
        const { first = 0, last = 0, node: host = '' } = this.#options.shards[index] ?? {};
        const { usedBytes = 0, keys = 0, clients = 0, requests = 0 } = all[at] ?? {};
        const shard = shardOf(this.#options.shards, index) + 1;
        const models = info.get('ai_models');
        const told = models === undefined ? {} : { models: Number(models) };
        const counts = { usedBytes, keys, clients, requests, ...told };
        return { shard, address: addresses[0] ?? '', host, first, last, ...counts, ...this.#replicaOf(index, info) };
      }),
    };
  }

  /** The replica of a server that has slots, by what both know of it, and its shard's take-overs; nothing in a cluster without replicas. */
  #replicaOf(leader: number, info: RedisStore['info']): Pick<ShardStats, 'replica' | 'takeOvers'> {
    const failover = this.#failover;
    const index = siblingOf(this.#options.shards, leader);
    const server = index === undefined ? undefined : failover?.shards[index];
    if (failover === undefined || index === undefined || server === undefined) return {};
    const link = /state=(\w+)/.exec(info.get('slave0') ?? '')?.[1];
    const unlinked = failover.isDown(index) ? 'down' : 'disconnected';
    const state = link === undefined ? unlinked : link === 'online' ? 'in sync' : 'copying';
    const { host, port, node } = server;
    const takeOvers = failover.takeOversOf(shardOf(this.#options.shards, leader));
    return { replica: { address: `${host}:${port}`, host: node, state }, takeOvers };
  }

  async refreshStats(): Promise<void> {
    await Promise.all([this.#worker?.refreshStats(), ...this.#leaders.map(([, server]) => server.refreshStats())]);
  }

  /** A result for each key, be it on several servers. */
  async warmUp(keys: readonly string[]): Promise<readonly WarmUp[]> {
    const done = (await this.#worker?.warmUp(keys)) ?? [];
    // A copy's key is the name behind the shard's own prefix.
    const named = done.map((one) => ({ ...one, key: one.key.replace(/^\{[^}]*\}\./s, '') }));
    return [...new Map(named.map((one) => [one.key, one])).values()].filter(({ key }) => keys.includes(key));
  }

  /** In a cluster with replicas: lets no client write any more, since this node may be cut off, and another one have taken over. */
  async stopWrites(): Promise<void> {
    if (this.#failover === undefined) return;
    const paused = this.#leaders.map(([, server]) => server.send('CLIENT', 'PAUSE', '600000', 'WRITE'));
    await Promise.allSettled(paused);
  }

  close(save?: boolean): Promise<void> {
    this.#isClosing = true;
    this.#failover?.close();
    this.#closing ??= this.#close(save);
    return this.#closing;
  }

  get #inOrder(): RedisStore[] {
    return this.#options.own.flatMap((index) => this.#servers.get(index) ?? []);
  }

  /** Servers that have slots, with their positions, by their shards. */
  get #leaders(): (readonly [number, RedisStore])[] {
    return [...this.#servers]
      .filter(([index]) => this.#failover?.leads(index) ?? true)
      .sort(([a], [b]) => shardOf(this.#options.shards, a) - shardOf(this.#options.shards, b));
  }

  async #start(): Promise<void> {
    const { own, hasWorker, storeOf, bundle } = this.#options;
    this.#folder = await mkdtemp(join(tmpdir(), 'simwright-shards-'));
    // All have ended before it is told that one has not started.
    const started = await Promise.allSettled(
      own.map(async (index) => this.#servers.set(index, await this.#startServer(index, this.#options.shards))),
    );
    for (const one of started) if (one.status === 'rejected') throw one.reason;
    const [first] = own;
    if (hasWorker && first !== undefined) {
      const store = storeOf(shardOf(this.#options.shards, first));
      const options = bundle === undefined ? { store } : { store, bundle };
      const sockets = own.map((index) => this.#socketOf(index));
      const outlivesServers = this.#failover !== undefined;
      this.#worker = await startWorker(options, sockets, (reason) => this.#dead(reason), outlivesServers);
    }
    const others = this.#options.shards.flatMap((_, index) => (own.includes(index) ? [] : [index]));
    await Promise.all([
      ...[...this.#servers].map(async ([index, server]) => {
        await this.#agreed(server, index);
        if (this.#options.shards[index]?.follows !== undefined) await server.follows();
      }),
      ...others.map((index) => this.#reached(index)),
    ]);
  }

  #socketOf(index: number): string {
    return join(this.#folder, `${index}.sock`);
  }

  async #startServer(index: number, shards: readonly ClusterShard[]): Promise<RedisStore> {
    const { programs, storeOf, bundle, hasWorker } = this.#options;
    const { host, port, busPort, follows } = shards[index] as ClusterShard;
    const name = nameOfShard(shards, index);
    const store = this.#withPeers(storeOf(shardOf(shards, index)));
    const writes = join(dirname(store.checkpointFile ?? join(this.#folder, 'none')), `.server-${index}`);
    const hosts = shards.map((one) => one.host);
    const ids = shards.map(({ id }) => id);
    const starting: Promise<RedisStore> = RedisStore.start({
      programs,
      store: { ...store, listen: [{ kind: 'tcp', host, port }] },
      cluster: {
        busPort,
        nodesFile: nodesFile(shards, index),
        ...(this.#failover !== undefined && { replication: { hosts, ids, writes, follows: follows !== undefined } }),
      },
      hasWorker: false,
      ...(hasWorker ? { workerSocket: this.#socketOf(index) } : {}),
      ...(bundle === undefined ? {} : { bundle }),
      onDeath: (reason) => void starting.then((server) => this.#serverDied(index, server, reason)),
    });
    return starting.catch((error: unknown) => {
      if (!(error instanceof WorkflowError)) throw error;
      const [{ code, message, hint }] = error.problems;
      throw new WorkflowError({ code, message: `${name}: ${message}`, hint, cause: error });
    });
  }

  /** Options with the hosts of all servers let in: replicas read from there, and clients of dead servers are led on from there. */
  #withPeers(store: OrchestratorOptions): OrchestratorOptions {
    if (this.#failover === undefined || store.allow === undefined) return store;
    const addresses = [...(store.allow.addresses ?? []), ...this.#options.shards.map(({ host }) => host)];
    return { ...store, allow: { ...store.allow, addresses: [...new Set(addresses)] } };
  }

  /** A server has died: its replica takes over, or the store ends. Whoever starts a server notices itself that it dies meanwhile. */
  async #serverDied(index: number, server: RedisStore, reason: string): Promise<void> {
    if (this.#isClosing || this.#servers.get(index) !== server) return;
    if (this.#failover === undefined || !this.#isFormed)
      return this.#dead(`${nameOfShard(this.#options.shards, index)}: ${reason}`);
    this.#servers.delete(index);
    // It lets its checkpoint go.
    await Promise.all([server.close(false), this.#failover.died(index, reason)]);
  }

  async #takeOver(index: number): Promise<void> {
    const server = this.#servers.get(index);
    if (server === undefined) throw new Error('it is not there');
    await server.takeOver();
  }

  async #restart(index: number, shards: readonly ClusterShard[]): Promise<void> {
    const server = await this.#startServer(index, shards);
    try {
      await this.#agreed(server, index);
      await server.follows();
    } catch (error) {
      await server.close(false);
      throw error;
    }
    if (this.#isClosing) return server.close(false);
    this.#servers.set(index, server);
  }

  #agreed(server: RedisStore, index: number): Promise<void> {
    // Beside RedisAI our module goes by another name.
    const module = this.#options.programs.redisai === undefined ? 'ai' : 'simwright';
    const bus = this.#failover === undefined ? 'closed' : 'guarded';
    return agreed(server, this.#options.shards, index, `${module}_bus_${bus}`);
  }

  #reached(index: number): Promise<void> {
    const { shards, own, reachSeconds } = this.#options;
    const here = shards[own[0] ?? 0]?.node ?? '';
    return reached(shards, index, { here, seconds: reachSeconds, isOver: () => this.#isClosing });
  }

  #dead(reason: string): void {
    if (this.#isClosing) return;
    if (this.#isFormed) this.#options.onDeath(reason);
    else this.#endEarly(reason);
  }

  async #close(save: boolean | undefined): Promise<void> {
    const ends = await Promise.allSettled(this.#inOrder.map((server) => server.close(save)));
    await this.#worker?.stop();
    if (this.#folder !== '') rmSync(this.#folder, { recursive: true, force: true });
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }
}
