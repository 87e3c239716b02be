import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowError } from '../../diagnostics/index.js';
import type {
  Orchestrator,
  OrchestratorOptions,
  OrchestratorStats,
  SavedStore,
  WarmUp,
} from '../orchestrator/index.js';
import { type ClusterShard, nameOfShard, nodesFile } from '../supervisor/cluster-layout.js';
import type { EnginePrograms } from './find-engine.js';
import { RedisStore } from './redis-store.js';
import { startWorker, type WorkerLink } from './worker-link.js';

/** Milliseconds between two looks whether the servers agree, and within which they have to. */
const agreement = { lookMs: 25, mostMs: 30_000 };

/** Seconds for a server on another node to be reached, unless an option says otherwise; milliseconds between two attempts, and for one of them. */
const reach = { seconds: 20, pauseMs: 100, attemptMs: 3000 };

/** Options of the servers of a cluster on this node. */
export interface ClusterStoreOptions {
  readonly programs: EnginePrograms;
  /** All servers of the cluster, by their slots. */
  readonly shards: readonly ClusterShard[];
  /** Shards that run here, by their positions among all. */
  readonly own: readonly number[];
  /** Settings of each of them. */
  readonly storeOf: (shard: number) => OrchestratorOptions;
  /** Seconds in which the servers on other nodes have to be reached. Default 20. */
  readonly reachSeconds?: number;
  /** False for a store of data only. */
  readonly hasWorker: boolean;
  readonly bundle?: URL;
  /** Called when a server or the AI layer has died for good. */
  readonly onDeath: (reason: string) => void;
}

/** The servers of a cluster that run on this node, with one AI layer for all of them. */
export class ClusterStore implements Orchestrator {
  readonly #options: ClusterStoreOptions;
  readonly #servers = new Map<number, RedisStore>();
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
    // Nobody may wait for it any more when it comes.
    this.#endBeforeFormed.catch(() => undefined);
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

  get addresses(): readonly string[] {
    return this.#inOrder.flatMap(({ addresses }) => addresses);
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
    const all = this.#inOrder.map((server) => server.stats());
    const sum = (of: (stats: OrchestratorStats) => number) => all.reduce((total, one) => total + of(one), 0);
    const { inferences, workers } = this.#worker?.stats ?? { inferences: 0, workers: [] };
    return {
      usedBytes: sum(({ usedBytes }) => usedBytes),
      keys: sum(({ keys }) => keys),
      clients: Math.max(...all.map(({ clients }) => clients)),
      requests: sum(({ requests }) => requests),
      refused: sum(({ refused }) => refused),
      inferences,
      workers,
      shards: this.#options.own.map((index, at) => {
        const { first = 0, last = 0 } = this.#options.shards[index] ?? {};
        const { usedBytes = 0, keys = 0, clients = 0, requests = 0 } = all[at] ?? {};
        const address = this.#inOrder[at]?.addresses[0] ?? '';
        const models = Number(this.#inOrder[at]?.info.get('ai_models') ?? 0);
        return { shard: index + 1, address, first, last, usedBytes, keys, clients, requests, models };
      }),
    };
  }

  /** A result for each key, be it on several servers. */
  async warmUp(keys: readonly string[]): Promise<readonly WarmUp[]> {
    const done = (await this.#worker?.warmUp(keys)) ?? [];
    // A copy's key is the name behind the shard's own prefix.
    const named = done.map((one) => ({ ...one, key: one.key.replace(/^\{[^}]*\}\./s, '') }));
    return [...new Map(named.map((one) => [one.key, one])).values()].filter(({ key }) => keys.includes(key));
  }

  close(save?: boolean): Promise<void> {
    this.#isClosing = true;
    this.#closing ??= this.#close(save);
    return this.#closing;
  }

  get #inOrder(): RedisStore[] {
    return this.#options.own.flatMap((index) => this.#servers.get(index) ?? []);
  }

  async #start(): Promise<void> {
    const { own, hasWorker, storeOf, bundle } = this.#options;
    this.#folder = await mkdtemp(join(tmpdir(), 'simwright-shards-'));
    const socketOf = (index: number) => join(this.#folder, `${index}.sock`);
    // All have ended before it is told that one has not started.
    const started = await Promise.allSettled(
      own.map((index) => this.#startServer(index, hasWorker ? socketOf(index) : undefined)),
    );
    for (const one of started) if (one.status === 'rejected') throw one.reason;
    const [first] = own;
    if (hasWorker && first !== undefined) {
      const store = storeOf(first);
      const options = bundle === undefined ? { store } : { store, bundle };
      this.#worker = await startWorker(options, own.map(socketOf), (reason) => this.#dead(reason));
    }
    const others = this.#options.shards.flatMap((_, index) => (own.includes(index) ? [] : [index]));
    await Promise.all([...own.map((index) => this.#agreed(index)), ...others.map((index) => this.#reached(index))]);
  }

  async #startServer(index: number, workerSocket: string | undefined): Promise<void> {
    const { programs, shards, storeOf, bundle } = this.#options;
    const { host, port, busPort } = shards[index] as ClusterShard;
    const name = nameOfShard(shards, index);
    const starting = RedisStore.start({
      programs,
      store: { ...storeOf(index), listen: [{ kind: 'tcp', host, port }] },
      cluster: { busPort, nodesFile: nodesFile(shards, index) },
      hasWorker: false,
      ...(workerSocket === undefined ? {} : { workerSocket }),
      ...(bundle === undefined ? {} : { bundle }),
      onDeath: (reason) => this.#dead(`${name}: ${reason}`),
    });
    const server = await starting.catch((error: unknown) => {
      if (!(error instanceof WorkflowError)) throw error;
      const [{ code, message, hint }] = error.problems;
      throw new WorkflowError({ code, message: `${name}: ${message}`, hint, cause: error });
    });
    this.#servers.set(index, server);
  }

  /** Waits until a server serves its slots and knows of all others. @throws WorkflowError */
  async #agreed(index: number): Promise<void> {
    const { shards } = this.#options;
    const server = this.#servers.get(index);
    const wanted = ['cluster_state:ok', 'cluster_slots_ok:16384', `cluster_known_nodes:${shards.length}`];
    const until = performance.now() + agreement.mostMs;
    for (;;) {
      const said = String(await server?.send('CLUSTER', 'INFO')).split('\r\n');
      const lacking = wanted.filter((line) => !said.includes(line));
      const info = await server?.refresh();
      if (lacking.length === 0 && info?.get('ai_bus_closed') === '1') return;
      if (performance.now() > until) {
        const found = said.filter((line) => /^cluster_(state|slots_ok|known_nodes):/.test(line)).join(', ');
        const bus = info?.get('ai_bus_closed') === '1' ? '' : ', its bus is open';
        throw new WorkflowError({
          code: 'RUN1004',
          message: `${nameOfShard(shards, index)} did not become part of the cluster within ${agreement.mostMs / 1000} s: ${found}${bus}`,
        });
      }
      await sleep(agreement.lookMs);
    }
  }

  /** Waits until a server on another node takes a connection: clients there will want to reach this node, and those here that one. @throws WorkflowError */
  async #reached(index: number): Promise<void> {
    const { shards, own, reachSeconds = reach.seconds } = this.#options;
    const place = shards[index] as ClusterShard;
    const here = shards[own[0] ?? 0]?.node ?? '';
    const until = performance.now() + reachSeconds * 1000;
    for (;;) {
      const problem = await tryToConnect(place, Math.min(reach.attemptMs, reachSeconds * 1000));
      if (problem === undefined || this.#isClosing) return;
      if (performance.now() > until) {
        throw new WorkflowError({
          code: 'RUN1004',
          message: `${here} cannot reach ${nameOfShard(shards, index)} within ${reachSeconds} s: ${problem}`,
          hint: 'all nodes of a store have to reach each other: networkInterface in the site names their network',
        });
      }
      await sleep(reach.pauseMs);
    }
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
