import { constants } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { WorkflowError } from '../../../diagnostics/index.js';
import { parseDevice } from '../../../ml/devices.js';
import { AbandonedWork } from '../ai/abandoned-work.js';
import { type WarmUp, warmUp } from '../ai/warm-up.js';
import { BusyPoll, busyPollMicros } from '../busy-poll.js';
import { Checkpoints } from '../checkpoint/checkpoints.js';
import type { SavedStore } from '../checkpoint/record.js';
import { BlockedClients } from '../commands/blocked-clients.js';
import { newClient } from '../commands/client-facts.js';
import type { ClientFacts, CommandContext } from '../commands/command.js';
import { Monitors } from '../commands/monitors.js';
import { mostWords } from '../commands/room.js';
import type { ServerFacts } from '../commands/server-facts.js';
import { defaultRunLimitMs, Inference, InferenceError, onnxRuntimeVersion } from '../inference/index.js';
import { Keyspace } from '../keyspace/keyspace.js';
import { MemoryBudget } from '../memory/memory-budget.js';
import { keepSparesWithin } from '../memory/spare-buffers.js';
import type { Orchestrator, OrchestratorOptions, OrchestratorStats } from '../options.js';
import { defaultLimits, type RequestLimits } from '../resp/limits.js';
import { ReplyEncoder } from '../resp/reply-encoder.js';
import { Connection, type ConnectionRoom } from './connection.js';
import { Dispatcher } from './dispatch.js';
import { ErrorLog, type LoggedClient } from './error-log.js';
import { KeepAlive } from './keep-alive.js';
import { listen } from './listen.js';
import { PeerFilter } from './peer-filter.js';
import { PeerNames } from './peer-names.js';
import { RefusalLog } from './refusal-log.js';
import { TurnBudget } from './turn-budget.js';

/** Longest wait of a closing orchestrator for replies under way, and then for slow readers of them. */
const drainMs = 4000;
const slowReadersMs = 2000;
/** Pause between two sweeps over what expires. */
const sweepMs = 100;
/** Longest time for a refused peer to read why. */
const refusalMs = 1000;
const deviceHint = 'a device is CPU, GPU or either with a number';

/** Devices in the spelling of RedisAI. @throws WorkflowError */
function devicesNamed(names: readonly string[] | undefined): readonly string[] | undefined {
  return names?.map((name) => {
    const device = parseDevice(name);
    if (device !== undefined) return device;
    throw new WorkflowError({ code: 'CLI1001', message: `'${name}' is no device`, hint: deviceHint });
  });
}

/** A device map in the spelling of RedisAI. @throws WorkflowError */
function devicesOf(map: OrchestratorOptions['mapDevice']): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(map ?? {}).map((pair) => {
      const [from, to] = pair.map(parseDevice);
      if (from !== undefined && to !== undefined) return [from, to];
      throw new WorkflowError({
        code: 'CLI1001',
        message: `the device map ${pair.join('=')} names no devices`,
        hint: `${deviceHint}: 'GPU:0=CPU'`,
      });
    }),
  );
}

/** The embedded store: sockets in front of the keyspace and the AI layer. */
export class OrchestratorServer implements Orchestrator {
  readonly #options: OrchestratorOptions;
  readonly #peers: PeerFilter;
  readonly #inference: Inference;
  readonly #keyspace: Keyspace;
  readonly #servers: Server[] = [];
  readonly #connections = new Map<Connection, { readonly client: ClientFacts; readonly socket: Socket }>();
  readonly #checkpoints: Checkpoints;
  #sweeper: NodeJS.Timeout | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #room: ConnectionRoom;
  readonly #facts: ServerFacts;
  readonly #abandoned = new AbandonedWork();
  readonly #errors = new ErrorLog(new PeerNames(), (message) => this.#log('warn', message));
  readonly #memory = new MemoryBudget({
    limitBytes: () => this.#facts.settings.maxMemoryBytes,
    usedBytes: () => this.#keyspace.usedBytes,
    evicts: () => this.#facts.settings.evictionPolicy !== 'noeviction',
    makeRoom: (bytes) => this.#keyspace.makeRoom(bytes, this.#facts.settings.evictionPolicy),
  });
  readonly #refusals = new RefusalLog((message) => this.#log('warn', message));
  readonly #blocked: BlockedClients;
  readonly #runId = randomBytes(20).toString('hex');
  #addresses: readonly string[] = [];
  #port = 0;
  #lastClientId = 0;
  #requests = 0;
  #closing: Promise<void> | undefined;
  #onLastGone: (() => void) | undefined;

  constructor(options: OrchestratorOptions) {
    this.#options = options;
    const { allow, peerCheck, onnxRuntime, threadsPerQueue, interOpThreads, intraOpThreads, mapDevice, workerUrl } =
      options;
    this.#peers = new PeerFilter({
      addresses: allow?.addresses ?? [],
      folder: allow?.folder,
      peerCheck: peerCheck ?? true,
    });
    const pollMicros = busyPollMicros(options.busyPollMicros);
    this.#inference = new Inference({
      onnxRuntime,
      backends: options.backends,
      threadsPerQueue,
      interOpThreads,
      intraOpThreads,
      mapDevice: devicesOf(mapDevice),
      devices: devicesNamed(options.devices),
      workerUrl,
      busyPollMicros: pollMicros,
      memory: this.#memory,
      python: options.python,
      log: (level, message) => this.#log(level, message),
      runLimitMs: (options.executionTimeoutSeconds ?? defaultRunLimitMs / 1000) * 1000,
    });
    this.#keyspace = new Keyspace((value, isReplaced) => {
      if (value.kind === 'model' || value.kind === 'script') this.#inference.unload(value.loaded, !isReplaced);
      else if (value.kind === 'tensor' || value.kind === 'string') value.bytes.discard();
    });
    this.#blocked = new BlockedClients(this.#keyspace);
    this.#keyspace.countsUses = options.evictionPolicy?.endsWith('-lfu') === true;
    this.#checkpoints = new Checkpoints(this.#keyspace, {
      file: options.checkpointFile,
      saveFile: options.saveFile,
      seconds: options.checkpointSeconds,
      onError: (message) => this.#log('error', message),
      storeId: options.storeId ?? this.#runId,
      nodes: options.nodes ?? 1,
      record: options.checkpointRecord,
      stale: options.staleKeys,
    });
    const limits: RequestLimits = {
      ...defaultLimits,
      keptArguments: mostWords,
      maxBulkBytes: Math.min(options.maxBulkBytes ?? defaultLimits.maxBulkBytes, constants.MAX_LENGTH),
    };
    const onBug = (error: unknown): void =>
      this.#log('error', error instanceof Error ? String(error.stack) : String(error));
    this.#room = {
      limits,
      encoder: new ReplyEncoder(),
      memory: this.#memory,
      keepAlive: new KeepAlive(),
      turn: new TurnBudget(),
      poll: new BusyPoll(pollMicros),
      dispatcher: new Dispatcher(onBug, options.logCommands === true ? this.#logCommand : undefined),
      onRequest: () => {
        this.#requests += 1;
      },
      onBug,
    };
    this.#facts = this.#makeFacts(limits);
    keepSparesWithin(options.maxMemoryBytes ?? 0);
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  get runId(): string {
    return this.#runId;
  }

  /** @throws WorkflowError */
  async start(): Promise<void> {
    const addresses: string[] = [];
    try {
      await this.#preload();
      await this.#checkpoints.load(this.#inference);
      for (const place of this.#options.listen) {
        const server = createServer({ pauseOnConnect: true, noDelay: true, keepAlive: true });
        this.#servers.push(server);
        server.on('error', (error) => this.#log('error', error.message));
        server.on('connection', (socket) => void this.#accept(socket, place.kind === 'unix'));
        const address = await listen(server, place);
        if (place.kind === 'tcp' && this.#port === 0) this.#port = Number(address.slice(address.lastIndexOf(':') + 1));
        addresses.push(address);
      }
    } catch (error) {
      await this.close(false);
      throw error;
    }
    this.#addresses = addresses;
    if (this.#options.expectsModels !== false) this.#inference.warmUp();
    this.#checkpoints.start();
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs).unref();
  }

  /** Starts the workers that clients would have to wait for. @throws WorkflowError */
  async #preload(): Promise<void> {
    const asked = (this.#options.preloadBackends ?? []).map((one) =>
      typeof one === 'string' ? { backend: one, device: 'CPU' } : one,
    );
    try {
      await Promise.all(asked.map(({ backend, device }) => this.#inference.preload(backend, device)));
    } catch (error) {
      if (!(error instanceof InferenceError)) throw error;
      const hint = 'install the framework there, name another Python, or do not preload the backend';
      const isLacking = error.problem === 'backend';
      throw new WorkflowError({
        code: 'RUN1004',
        message: error.message,
        ...(isLacking && { hint }),
        cause: error,
      });
    }
  }

  stats(): OrchestratorStats {
    return {
      usedBytes: this.#keyspace.usedBytes,
      keys: this.#keyspace.size,
      clients: this.#connections.size,
      requests: this.#requests,
      inferences: this.#inference.requests,
      refused: this.#refusals.refused,
      workers: this.#inference.workers,
    };
  }

  /** All is in this process. */
  async refreshStats(): Promise<void> {}

  async warmUp(keys: readonly string[]): Promise<readonly WarmUp[]> {
    const done: WarmUp[] = [];
    for (const key of keys) {
      const value = this.#keyspace.peek(key)?.value;
      if (value?.kind === 'model' || value?.kind === 'script') done.push(await warmUp(this.#inference, key, value));
    }
    return done;
  }

  get restored(): readonly SavedStore[] {
    return this.#checkpoints.restored;
  }

  close(save = this.#options.checkpointSeconds !== undefined): Promise<void> {
    this.#closing ??= this.#close(save);
    return this.#closing;
  }

  async #close(save: boolean): Promise<void> {
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    // It keeps the process awake, too: a run whose client has gone would not.
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drainMs);
    });
    await Promise.race([Promise.all([...this.#connections.keys()].map((connection) => connection.end())), deadline]);
    clearTimeout(timer);
    for (const socket of this.#sockets) socket.destroySoon();
    // Large replies to slow readers take their time.
    const gone = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, slowReadersMs);
    await Promise.all(closed);
    if (this.#sockets.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onLastGone = resolve;
      });
    }
    clearTimeout(gone);
    clearInterval(this.#sweeper);
    this.#errors.close();
    this.#refusals.end();
    // First, since a run that does not end has tensors that are to be saved.
    await this.#inference.close();
    await this.#checkpoints.stop(save);
  }

  get isStuck(): boolean {
    return this.#inference.isStuck;
  }

  async #accept(socket: Socket, trusted: boolean): Promise<void> {
    this.#watch(socket);
    const refusal = trusted ? undefined : await this.#peers.refusal(socket);
    if (socket.destroyed || this.#closing !== undefined) {
      socket.destroy();
      return;
    }
    if (refusal !== undefined) {
      if (!refusal.gone) this.#refusals.add(socket.remoteAddress ?? 'a peer that has gone', refusal.reason);
      this.#refuse(socket, `DENIED ${refusal.reason}`);
    } else if (this.#connections.size >= this.#facts.limits.maxClients) {
      this.#refuse(socket, 'ERR max number of clients reached');
    } else {
      this.#serve(socket);
    }
  }

  #watch(socket: Socket): void {
    if (this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#onLastGone?.();
    });
    socket.on('error', () => socket.destroy());
  }

  #serve(socket: Socket): void {
    this.#lastClientId += 1;
    const { localAddress: host, localPort: port, remoteAddress, remotePort } = socket;
    const client = newClient({
      id: this.#lastClientId,
      peer: remoteAddress === undefined ? 'unix' : `${remoteAddress}:${remotePort}`,
      reachedAt: host === undefined || port === undefined ? undefined : { host: host.replace(/^::ffff:/, ''), port },
    });
    const context: CommandContext = {
      keyspace: this.#keyspace,
      tensors: this.#keyspace,
      inference: this.#inference,
      server: this.#facts,
      client,
      abandoned: this.#abandoned,
      blocked: this.#blocked,
      onError: (words, reply) => this.#errors.note(logged, words, reply),
    };
    const connection = new Connection(socket, context, this.#room);
    const logged: LoggedClient = { socket: connection.socket, who: undefined };
    this.#watch(connection.socket);
    this.#connections.set(connection, { client, socket: connection.socket });
    connection.socket.on('close', () => this.#connections.delete(connection));
    this.#log('debug', `client ${client.id} from ${client.peer}`);
  }

  /** Says why and ends. What the peer has sent is thrown away unread, lest the reset that follows swallow the answer. */
  #refuse(socket: Socket, reason: string): void {
    socket.on('data', () => undefined);
    socket.resume();
    socket.end(`-${reason}\r\n`);
    const timer = setTimeout(() => socket.destroy(), refusalMs);
    socket.on('close', () => clearTimeout(timer));
  }

  /** Does what time brings: deletes expired keys, and evicts those that were too many for one command. */
  #sweep(): void {
    this.#keyspace.look();
    if (this.#keyspace.volatileSize > 0) this.#keyspace.deleteExpired();
    const { maxMemoryBytes, evictionPolicy } = this.#facts.settings;
    const left = maxMemoryBytes - this.#memory.otherBytes;
    if (maxMemoryBytes > 0 && this.#keyspace.usedBytes > left)
      this.#keyspace.makeRoom(Math.max(0, left), evictionPolicy);
  }

  readonly #logCommand = (client: ClientFacts, words: readonly Buffer[]): void => {
    const shown = words.slice(0, 8).map((word) => JSON.stringify(word.subarray(0, 64).toString('latin1')));
    if (words.length > shown.length) shown.push(`… (${words.length} words)`);
    this.#log('debug', `[${client.id} ${client.peer}] ${shown.join(' ')}`);
  };

  #log(level: 'debug' | 'info' | 'warn' | 'error', message: string): void {
    this.#options.log?.(level, message);
  }

  #makeFacts({ maxBulkBytes }: RequestLimits): ServerFacts {
    const { maxMemoryBytes, evictionPolicy, maxClients, threadsPerQueue, interOpThreads, intraOpThreads, onShutdown } =
      this.#options;
    return {
      version: this.#options.version ?? 'source',
      startedAtMs: Date.now(),
      runId: this.#runId,
      settings: {
        modelChunkBytes: 535_822_336,
        backendsPath: '',
        maxMemoryBytes: maxMemoryBytes ?? 0,
        evictionPolicy: evictionPolicy ?? 'noeviction',
        parameters: new Map([
          ['lua-time-limit', '5000'],
          ['ignore-warnings', ''],
        ]),
      },
      onnxRuntimeVersion: onnxRuntimeVersion(this.#options.onnxRuntime),
      saving: this.#checkpoints,
      monitors: new Monitors(),
      memory: this.#memory,
      shutDown: onShutdown,
      limits: { maxClients: maxClients ?? 10_000, maxBulkBytes },
      executionTimeoutMs: (this.#options.executionTimeoutSeconds ?? defaultRunLimitMs / 1000) * 1000,
      threads: { perQueue: threadsPerQueue ?? 1, interOp: interOpThreads ?? 0, intraOp: intraOpThreads ?? 0 },
      port: () => this.#port,
      clients: () => [...this.#connections.values()].map(({ client }) => client),
      kill: (killed) => {
        for (const { client, socket } of this.#connections.values()) if (client === killed) socket.destroy();
      },
      monitor: (asking) => {
        for (const [connection, { client }] of this.#connections) {
          if (client === asking) this.#facts.monitors.add(client, (line) => connection.show(line));
        }
      },
      requests: () => this.#requests,
      connections: () => this.#lastClientId,
      refused: () => this.#refusals.refused,
    };
  }
}
