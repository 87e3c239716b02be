import { connect, type Socket } from 'node:net';
import type { BackendName } from '../../../ml/backends.js';
import { AbandonedWork } from '../ai/abandoned-work.js';
import { BusyPoll } from '../busy-poll.js';
import { type AiCommandContext, CommandError } from '../commands/command.js';
import { type FramedContext, framedCommand } from '../commands/framed.js';
import { refusalOf } from '../commands/refusal.js';
import { Inference, InferenceError, type InferenceOptions } from '../inference/index.js';
import { MemoryBudget } from '../memory/memory-budget.js';
import { ErrorReply, type Reply } from '../resp/reply.js';
import { ReplyEncoder } from '../resp/reply-encoder.js';
import { type FramedRequest, FrameReader } from './frame-reader.js';
import { hello, protocolVersion } from './frames.js';
import { GivenKeys } from './given-keys.js';
import { KnownPrograms, type Program } from './known-programs.js';
import { encodeReply } from './reply-frame.js';
import { RequestValues } from './request-values.js';

/** Frames up to this size are written as one piece. */
const oneWriteBytes = 16 * 1024;

/** Options of the AI layer beside a server. */
export interface EngineWorkerOptions extends Omit<InferenceOptions, 'memory'> {
  /** Socket that the server's module listens on. */
  readonly socketPath: string;
  readonly maxBulkBytes: number;
  /** Runner of models and scripts that others use as well, and close. Default: its own. */
  readonly inference?: Inference | undefined;
  /** Keeps the event loop awake; others use it as well. Default: its own. */
  readonly poll?: BusyPoll | undefined;
  /** Backends whose workers are started and warmed up before it says that it is ready. */
  readonly preloadBackends?:
    | readonly (BackendName | { readonly backend: BackendName; readonly device: string })[]
    | undefined;
  readonly log?: (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;
}

/** The AI layer in a process beside the server that keeps the tensors: it answers what the server's module hands on. */
export class EngineWorker {
  readonly #options: EngineWorkerOptions;
  readonly #inference: Inference;
  readonly #programs: KnownPrograms;
  readonly #encoder = new ReplyEncoder();
  readonly #poll: BusyPoll;
  readonly #socket: Socket;
  readonly #context: Omit<FramedContext & AiCommandContext, 'tensors' | 'client' | 'keyspace'>;
  #greeted: () => void = () => undefined;
  #problem: Error | undefined;
  /** Resolves when the connection has ended, with the reason unless {@link close} was called. */
  readonly ended: Promise<Error | undefined>;

  constructor(options: EngineWorkerOptions) {
    this.#options = options;
    this.#inference = options.inference ?? new Inference(options);
    this.#programs = new KnownPrograms(this.#inference);
    this.#poll = options.poll ?? new BusyPoll(options.busyPollMicros ?? 0);
    const memory = new MemoryBudget({
      limitBytes: () => 0,
      usedBytes: () => 0,
      evicts: () => false,
      makeRoom: () => true,
    });
    this.#context = {
      inference: this.#inference,
      server: {
        memory,
        limits: { maxBulkBytes: options.maxBulkBytes },
        settings: { modelChunkBytes: 535_822_336, backendsPath: '' },
      },
      abandoned: new AbandonedWork(),
    };
    const reader = new FrameReader({
      greeted: (version) => this.#greet(version),
      request: (request) => {
        this.#poll.asked();
        void this.#answer(request);
      },
      forget: (serial) => this.#programs.forget(serial),
    });
    this.#socket = connect({
      path: options.socketPath,
      onread: {
        buffer: () => reader.room(),
        callback: (bytes) => {
          try {
            reader.filled(bytes);
          } catch (error) {
            this.#socket.destroy(error as Error);
          }
          return true;
        },
      },
    });
    this.#socket.on('error', (error) => {
      this.#problem = error;
    });
    this.ended = new Promise((resolve) => {
      this.#socket.on('close', () => resolve(this.#problem ?? new Error('the server has ended the connection')));
    });
  }

  /** Runner of models and scripts. */
  get inference(): Inference {
    return this.#inference;
  }

  /** Resolves when the server has taken this worker. Rejects if it does not. */
  async ready(): Promise<void> {
    const greeted = new Promise<undefined>((resolve) => {
      this.#greeted = () => resolve(undefined);
    });
    const problem = await Promise.race([greeted, this.ended]);
    if (problem !== undefined) throw problem;
    const asked = (this.#options.preloadBackends ?? []).map((one) =>
      typeof one === 'string' ? { backend: one, device: 'CPU' } : one,
    );
    await Promise.all(asked.map(({ backend, device }) => this.#inference.preload(backend, device)));
  }

  /** Models and scripts that commands have stored, with their keys. */
  get loaded(): readonly { readonly key: string; readonly program: Program }[] {
    return [...this.#programs.loaded()];
  }

  /** Ends the connection and the threads. */
  async close(): Promise<void> {
    this.#socket.destroy();
    if (this.#options.inference === undefined) await this.#inference.close();
    else this.#programs.forgetAll();
  }

  #greet(version: number): void {
    if (version !== protocolVersion) {
      this.#socket.destroy(
        new Error(`the server's module speaks version ${version} of the frames, this worker ${protocolVersion}`),
      );
      return;
    }
    this.#socket.write(hello());
    this.#greeted();
  }

  async #answer(request: FramedRequest): Promise<void> {
    const programs = request.given.map((given) => this.#programs.of(given));
    const loaded = programs.some((one) => one instanceof Promise)
      ? await Promise.all(programs)
      : (programs as (Program | undefined)[]);
    const values = new RequestValues(request.words, request.given, loaded);
    let reply: Reply;
    try {
      const running = this.#run(request, values, loaded);
      reply = running instanceof Promise ? await running : running;
    } catch (error) {
      reply = this.#errorReply(error);
    }
    this.#send(request, values, reply);
    values.close();
    this.#poll.settled();
  }

  #run(
    { words, given }: FramedRequest,
    tensors: RequestValues,
    programs: readonly (Program | undefined)[],
  ): Reply | Promise<Reply> {
    const command = framedCommand(words[0]);
    if (command === undefined) throw new CommandError('ERR the AI layer does not know this command');
    const { inference, server, abandoned } = this.#context;
    const client = { work: undefined };
    const keyspace = new GivenKeys(words, given, programs);
    return command.run({ inference, server, abandoned, tensors, client, keyspace }, words);
  }

  #errorReply(error: unknown): ErrorReply {
    const refusal = refusalOf(error);
    if (refusal !== undefined) {
      if (error instanceof InferenceError) this.#options.log?.('warn', refusal.text);
      return refusal;
    }
    this.#options.log?.('error', error instanceof Error ? String(error.stack) : String(error));
    return new ErrorReply(`ERR internal error: ${error instanceof Error ? error.message : String(error)}`);
  }

  #send({ id, words }: FramedRequest, values: RequestValues, reply: Reply): void {
    // Writes of a failed command are not to be seen.
    const writes = reply instanceof ErrorReply ? [] : values.writes;
    for (const { value } of writes) {
      if (value?.kind === 'model' || value?.kind === 'script')
        this.#programs.add(id, value, words[1]?.toString('latin1') ?? '');
    }
    const { pieces, bytes, releases } = encodeReply(this.#encoder, id, words, writes, reply);
    const release = (): void => {
      for (const one of releases) one();
    };
    if (bytes <= oneWriteBytes) {
      this.#socket.write(Buffer.concat(pieces, bytes));
      release();
      return;
    }
    this.#socket.cork();
    for (const [index, piece] of pieces.entries())
      this.#socket.write(piece, index === pieces.length - 1 ? release : undefined);
    this.#socket.uncork();
  }
}
