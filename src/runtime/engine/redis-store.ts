import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowError } from '../../diagnostics/index.js';
import type { Connection } from '../client/connection.js';
import { CheckpointLock } from '../orchestrator/checkpoint/lock.js';
import type {
  Orchestrator,
  OrchestratorOptions,
  OrchestratorStats,
  SavedStore,
  WarmUp,
} from '../orchestrator/index.js';
import { freePort } from '../supervisor/free-port.js';
import type { EnginePrograms } from './find-engine.js';
import { failedToLoad, loadProblem } from './load-problem.js';
import { runsOf } from './redisai.js';
import { ServerCheckpoints } from './server-checkpoints.js';
import { serverConfig } from './server-config.js';
import { type Info, readInfo } from './server-info.js';
import { ServerProcess } from './server-process.js';
import { followsStream, lockWhenFree, takeOverSlots } from './take-over.js';
import { startWorker, type WorkerLink } from './worker-link.js';

/** Milliseconds between two questions how the server does, and for runs under way to end. */
const askMs = 1000;
const drainMs = 4000;
/** Attempts to find a free port that is still free when the server listens. */
const portAttempts = 5;

/** Options of a store on a server. */
export interface RedisStoreOptions {
  readonly programs: EnginePrograms;
  readonly store: OrchestratorOptions;
  /** False for a store of data only: no models, no scripts. */
  readonly hasWorker: boolean;
  /** Its part in a cluster: the port of its bus, and what it reads of the others. */
  readonly cluster?: {
    readonly busPort: number;
    readonly nodesFile: string;
    /** In a cluster with replicas: the hosts and names of all servers, and the file that it writes itself; `follows` for a replica, which reads none. */
    readonly replication?: {
      readonly hosts: readonly string[];
      readonly ids: readonly string[];
      readonly writes: string;
      readonly follows: boolean;
    };
  };
  /** Socket of an AI layer that somebody else starts, for several servers. Default: it starts its own. */
  readonly workerSocket?: string;
  /** The bundle, for the worker's process. Default: the modules beside this code. */
  readonly bundle?: URL;
  /** Called when the server or its AI layer has died for good: there is no store any more. */
  readonly onDeath: (reason: string) => void;
}

/** A store that is a Redis or Valkey server with our module, and the AI layer in a process beside it. This process holds both. */
export class RedisStore implements Orchestrator {
  readonly #options: RedisStoreOptions;
  #server: ServerProcess | undefined;
  #worker: WorkerLink | undefined;
  #connection: Connection | undefined;
  #checkpoints: ServerCheckpoints | undefined;
  #lock: CheckpointLock | undefined;
  #folder: string | undefined;
  #addresses: readonly string[] = [];
  #info: Info = new Map();
  #asking: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;
  #hasServer = true;
  readonly #password = randomBytes(32).toString('hex');
  #inheriting: Promise<void> | undefined;

  private constructor(options: RedisStoreOptions) {
    this.#options = options;
  }

  /** Starts server and worker; resolves when clients may come. @throws WorkflowError */
  static async start(options: RedisStoreOptions): Promise<RedisStore> {
    const store = new RedisStore(options);
    try {
      await store.#start();
      return store;
    } catch (error) {
      await store.#end();
      throw error;
    }
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  get runId(): string {
    return this.#info.get('run_id') ?? '';
  }

  get restored(): readonly SavedStore[] {
    return this.#checkpoints?.restored ?? [];
  }

  /** The server and the worker can always be ended. */
  get isStuck(): boolean {
    return false;
  }

  /** Process ids of the server and the AI layer. */
  get pids(): { readonly server: number | undefined; readonly worker: number | undefined } {
    return { server: this.#server?.pid, worker: this.#worker?.pid };
  }

  /** The server's last report of itself. */
  get info(): Info {
    return this.#info;
  }

  /** Asks the server how it does. */
  async refresh(): Promise<Info> {
    await this.#ask();
    return this.#info;
  }

  /**
   * Lets a replica take over the slots of the server that it follows, which has died, once it has read all that came from there; resolves when it
   * serves them. Rejects if it has not got all data yet.
   */
  async takeOver(): Promise<void> {
    const [address = ''] = this.#addresses;
    await takeOverSlots({ address, password: this.#password, refresh: () => this.refresh() });
    await this.refresh();
    this.#inheriting = this.#inherit();
  }

  /** Waits until a replica gets what its server writes. */
  async follows(): Promise<void> {
    const [address = ''] = this.#addresses;
    await followsStream({ address, refresh: () => this.refresh() });
  }

  /** Sends a command. */
  async send(...words: readonly string[]): Promise<unknown> {
    return this.#connection?.send(...words);
  }

  stats(): OrchestratorStats {
    const number = (name: string): number => Number(this.#info.get(name) ?? 0);
    const { inferences, workers } = this.#worker?.stats ?? { inferences: runsOf(this.#info), workers: [] };
    return {
      usedBytes: number('used_memory'),
      keys: Number(/keys=(\d+)/.exec(this.#info.get('db0') ?? '')?.[1] ?? 0),
      // One of them is this process's own.
      clients: Math.max(0, number('connected_clients') - 1),
      requests: number('total_commands_processed'),
      residentBytes: number('used_memory_rss'),
      refused: number('ai_clients_refused') + number('simwright_clients_refused'),
      inferences,
      workers,
    };
  }

  async refreshStats(): Promise<void> {
    const limit = sleep(askMs, undefined, { ref: false });
    await Promise.allSettled([Promise.race([this.#ask(), limit]), this.#worker?.refreshStats()]);
  }

  async warmUp(keys: readonly string[]): Promise<readonly WarmUp[]> {
    const done = (await this.#worker?.warmUp(keys)) ?? [];
    await this.#ask();
    return done.filter(({ key }) => keys.includes(key));
  }

  close(save = this.#options.store.checkpointSeconds !== undefined): Promise<void> {
    this.#closing ??= this.#close(save);
    return this.#closing;
  }

  async #start(): Promise<void> {
    const { store, hasWorker } = this.#options;
    const file = store.checkpointFile ?? store.saveFile;
    this.#folder = await mkdtemp(join(tmpdir(), 'simwright-engine-'));
    const { cluster, workerSocket: shared } = this.#options;
    const { writes, follows = false } = cluster?.replication ?? {};
    if (writes !== undefined) rmSync(writes, { force: true });
    if (store.checkpointFile !== undefined && !follows) this.#lock = await CheckpointLock.take(store.checkpointFile);
    if (cluster !== undefined) await writeFile(join(this.#folder, 'nodes.conf'), cluster.nodesFile, { mode: 0o600 });
    const workerSocket = shared ?? (hasWorker ? join(this.#folder, 'ai.sock') : undefined);
    const connection = await this.#startServer(follows ? writes : file, workerSocket);
    this.#connection = connection;
    const server = this.#server;
    void server?.died.then((how) => {
      this.#hasServer = false;
      this.#dead(`the server died (${how})`);
    });
    await this.#ask();
    if (workerSocket !== undefined && shared === undefined) await this.#startWorker(workerSocket);
    const said = () => server?.said ?? [];
    this.#checkpoints = new ServerCheckpoints(connection, store, said, follows ? writes : undefined);
    if (!follows) await this.#checkpoints.start();
    this.#asking = setInterval(() => {
      this.#checkpoints?.adopt();
      void this.#ask().catch(() => undefined);
    }, askMs);
  }

  async #startServer(file: string | undefined, workerSocket: string | undefined): Promise<Connection> {
    const { programs, store, cluster } = this.#options;
    const tcp = store.listen.find((place) => place.kind === 'tcp');
    const unix = store.listen.find((place) => place.kind === 'unix');
    for (let attempt = 1; ; attempt += 1) {
      const port = tcp?.port === 0 ? await freePort() : tcp?.port;
      const config = serverConfig({
        tcp: tcp && { ...tcp, port: port ?? 0 },
        unix,
        folder: file === undefined ? (this.#folder ?? tmpdir()) : dirname(file),
        file: file === undefined ? 'dump.rdb' : basename(file),
        module: programs.module,
        redisai: programs.redisai,
        workerSocket,
        cluster: cluster && {
          busPort: cluster.busPort,
          file: join(this.#folder ?? tmpdir(), 'nodes.conf'),
          replication: cluster.replication && { ...cluster.replication, password: this.#password },
        },
        holder: process.pid,
        options: store,
      });
      const server = new ServerProcess(programs.server.path, config, (level, message) => store.log?.(level, message));
      this.#server = server;
      this.#addresses = [
        ...(tcp === undefined ? [] : [`${tcp.host}:${port}`]),
        ...(unix === undefined ? [] : [`unix://${unix.path}`]),
      ];
      try {
        return await server.answering(this.#addresses.at(-1) ?? '');
      } catch (error) {
        if (file !== undefined && existsSync(file) && failedToLoad(server.said))
          throw loadProblem(file, programs.server, server.said);
        const isTaken = error instanceof WorkflowError && error.code === 'RUN1003';
        if (!(isTaken && tcp?.port === 0 && attempt < portAttempts)) throw error;
      }
    }
  }

  /** Takes the checkpoint of the server that has died over, which may be locked for a moment. */
  async #inherit(): Promise<void> {
    const { store } = this.#options;
    if (store.checkpointFile === undefined) return;
    try {
      this.#lock = await lockWhenFree(store.checkpointFile, {
        isEnding: () => this.#closing !== undefined,
        onDelay: (reason) => store.log?.('error', `${reason}: this server saves nothing until then`),
      });
    } catch (error) {
      store.log?.('error', `${(error as Error).message}: this server saves nothing`);
      return;
    }
    this.#checkpoints?.inherit();
  }

  async #startWorker(socketPath: string): Promise<void> {
    this.#worker = await startWorker(this.#options, [socketPath], (reason) => this.#dead(reason));
  }

  async #ask(): Promise<void> {
    if (this.#connection !== undefined) this.#info = await readInfo(this.#connection);
  }

  #dead(reason: string): void {
    if (this.#closing !== undefined) return;
    this.#options.store.log?.('error', reason);
    this.#options.onDeath(reason);
  }

  async #close(save: boolean): Promise<void> {
    clearInterval(this.#asking);
    try {
      // A dead server answers nothing.
      if (!this.#hasServer) return;
      await this.#drain();
      await this.#inheriting;
      // A replica leaves that to the server that it follows.
      await this.#checkpoints?.stop(save && this.#lock !== undefined);
    } finally {
      await this.#end();
    }
  }

  /** Waits for what the AI layer runs, so that its results are there. */
  async #drain(): Promise<void> {
    const until = performance.now() + drainMs;
    const isRedisAi = this.#options.programs.redisai !== undefined;
    const runsModels = isRedisAi || this.#worker !== undefined || this.#options.workerSocket !== undefined;
    while (runsModels && performance.now() < until) {
      await this.#ask().catch(() => undefined);
      const number = (name: string): number => Number(this.#info.get(name) ?? 0);
      const begun = number('ai_requests_waiting') + number('ai_requests_sent');
      const ended = number('ai_requests_answered') + number('ai_requests_failed');
      // RedisAI blocks the clients of what it runs, and does not tell how many runs there are.
      if (isRedisAi ? number('blocked_clients') === 0 : begun <= ended) return;
      await sleep(20);
    }
  }

  async #end(): Promise<void> {
    this.#closing ??= Promise.resolve();
    clearInterval(this.#asking);
    const connection = this.#connection;
    this.#connection = undefined;
    await this.#worker?.stop();
    await connection?.close();
    await this.#server?.stop();
    await this.#lock?.release();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
    const { writes } = this.#options.cluster?.replication ?? {};
    if (writes !== undefined) rmSync(writes, { force: true });
    for (const place of this.#options.store.listen) {
      if (place.kind === 'unix') rmSync(place.path, { force: true });
    }
  }
}
