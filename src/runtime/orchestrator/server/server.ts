import { constants } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import type { ServerFacts } from '../commands/server-facts.js';
import { Inference } from '../inference/index.js';
import type { Orchestrator, OrchestratorOptions, OrchestratorStats } from '../options.js';
import { defaultLimits, type RequestLimits } from '../resp/limits.js';
import { ReplyEncoder } from '../resp/reply-encoder.js';
import { Keyspace } from '../store/keyspace.js';
import { Connection, type ConnectionRoom } from './connection.js';
import { Dispatcher } from './dispatch.js';
import { Gate } from './gate.js';
import { listen } from './listen.js';

const version = '0.1.0';
/** How long a closing orchestrator waits for replies under way. */
const drainMs = 5000;
/** How long a refused peer may take to read why. */
const refusalMs = 1000;

/** The embedded store: sockets in front of the keyspace and the AI layer. */
export class OrchestratorServer implements Orchestrator {
  readonly #options: OrchestratorOptions;
  readonly #gate: Gate;
  readonly #inference: Inference;
  readonly #store: Keyspace;
  readonly #servers: Server[] = [];
  readonly #connections = new Set<Connection>();
  readonly #sockets = new Set<Socket>();
  readonly #room: ConnectionRoom;
  readonly #facts: ServerFacts;
  #addresses: readonly string[] = [];
  #port = 0;
  #lastClientId = 0;
  #requests = 0;
  #closing: Promise<void> | undefined;

  constructor(options: OrchestratorOptions) {
    this.#options = options;
    const { allow, peerCheck, onnxRuntime, threadsPerQueue, interOpThreads, intraOpThreads, workerUrl } = options;
    this.#gate = new Gate({
      addresses: allow?.addresses ?? [],
      folder: allow?.folder,
      peerCheck: peerCheck ?? true,
    });
    this.#inference = new Inference({ onnxRuntime, threadsPerQueue, interOpThreads, intraOpThreads, workerUrl });
    this.#store = new Keyspace((value) => {
      if (value.kind === 'model') this.#inference.unload(value.loaded);
    });
    const limits: RequestLimits = {
      ...defaultLimits,
      maxBulkBytes: Math.min(options.maxBulkBytes ?? defaultLimits.maxBulkBytes, constants.MAX_LENGTH),
    };
    const onBug = (error: unknown): void =>
      this.#log('error', error instanceof Error ? String(error.stack) : String(error));
    this.#room = {
      limits,
      encoder: new ReplyEncoder(),
      dispatcher: new Dispatcher(onBug),
      onRequest: () => {
        this.#requests += 1;
      },
      onBug,
    };
    this.#facts = this.#makeFacts(limits);
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /** @throws WorkflowError */
  async start(): Promise<void> {
    const addresses: string[] = [];
    try {
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
      await this.close();
      throw error;
    }
    this.#addresses = addresses;
    this.#inference.warmUp();
  }

  stats(): OrchestratorStats {
    return {
      usedBytes: this.#store.usedBytes,
      keys: this.#store.size,
      clients: this.#connections.size,
      requests: this.#requests,
      inferences: this.#inference.runs,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    const deadline = new Promise<void>((resolve) => setTimeout(resolve, drainMs).unref());
    await Promise.race([Promise.all([...this.#connections].map((connection) => connection.end())), deadline]);
    for (const socket of this.#sockets) socket.destroySoon();
    const gone = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, refusalMs);
    await Promise.all(closed);
    clearTimeout(gone);
    await this.#inference.close();
  }

  async #accept(socket: Socket, trusted: boolean): Promise<void> {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const refusal = trusted ? undefined : await this.#gate.refusal(socket);
    if (socket.destroyed || this.#closing !== undefined) {
      socket.destroy();
      return;
    }
    if (refusal !== undefined) {
      this.#log('warn', `refused a connection from ${socket.remoteAddress}: ${refusal}`);
      this.#refuse(socket, `DENIED ${refusal}`);
    } else if (this.#connections.size >= this.#facts.limits.maxClients) {
      this.#refuse(socket, 'ERR max number of clients reached');
    } else {
      this.#serve(socket);
    }
  }

  #serve(socket: Socket): void {
    this.#lastClientId += 1;
    const { localAddress: host, localPort: port, remoteAddress, remotePort } = socket;
    const client = {
      id: this.#lastClientId,
      peer: remoteAddress === undefined ? 'unix' : `${remoteAddress}:${remotePort}`,
      reachedAt: host === undefined || port === undefined ? undefined : { host: host.replace(/^::ffff:/, ''), port },
      name: Buffer.alloc(0),
      quitting: false,
    };
    const context = { store: this.#store, inference: this.#inference, server: this.#facts, client };
    const connection = new Connection(socket, context, this.#room);
    this.#connections.add(connection);
    socket.on('close', () => this.#connections.delete(connection));
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

  #log(level: 'debug' | 'info' | 'warn' | 'error', message: string): void {
    this.#options.log?.(level, message);
  }

  #makeFacts({ maxBulkBytes }: RequestLimits): ServerFacts {
    const { maxMemoryBytes, maxClients, threadsPerQueue, interOpThreads, intraOpThreads } = this.#options;
    return {
      version,
      startedAtMs: Date.now(),
      runId: randomBytes(20).toString('hex'),
      settings: {
        modelChunkBytes: 535_822_336,
        parameters: new Map([
          ['lua-time-limit', '5000'],
          ['ignore-warnings', ''],
        ]),
      },
      limits: { maxMemoryBytes: maxMemoryBytes ?? 0, maxClients: maxClients ?? 10_000, maxBulkBytes },
      threads: { perQueue: threadsPerQueue ?? 1, interOp: interOpThreads ?? 0, intraOp: intraOpThreads ?? 0 },
      port: () => this.#port,
      clients: () => this.#connections.size,
      requests: () => this.#requests,
      connections: () => this.#lastClientId,
    };
  }
}
