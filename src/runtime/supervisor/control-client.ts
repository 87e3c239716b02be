import { connect, type Socket } from 'node:net';
import { WorkflowError } from '../../diagnostics/index.js';
import { isCode } from '../job/job-folder.js';
import { readJsonLines, writeJsonLine } from './json-lines.js';
import { fromWire, Reply, type Request } from './messages.js';

/** A connection to the job's supervisor. */
export class ControlClient {
  readonly #socket: Socket;
  readonly #waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void }[] = [];
  #onFailed: ((problem: WorkflowError) => void) | undefined;
  #closing = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => this.#onClose());
    readJsonLines(socket, (value) => {
      const reply = Reply.safeParse(value);
      if (reply.success) this.#onReply(reply.data);
    });
  }

  /** Connects; `undefined` when no supervisor listens there. */
  static connect(path: string): Promise<ControlClient | undefined> {
    return new Promise((resolve, reject) => {
      const socket = connect({ path });
      socket.once('connect', () => resolve(new ControlClient(socket)));
      socket.once('error', (error) => {
        if (isCode(error, 'ENOENT') || isCode(error, 'ECONNREFUSED')) resolve(undefined);
        else reject(error);
      });
    });
  }

  /**
   * Sends a request and waits for its answer, which may hold notices for people. Throws the problem that the supervisor answers, RUN1004 when
   * it goes away.
   */
  async request(request: Request): Promise<readonly string[]> {
    const reply = await this.#ask(request);
    return ('notices' in reply ? reply.notices : undefined) ?? [];
  }

  /** True if a key exists in a store of the job, on whichever of its nodes. Throws RUN1005 for a store that does not run. */
  async exists(store: string, key: string): Promise<boolean> {
    const reply = await this.#ask({ op: 'exists', store, key });
    return 'exists' in reply && reply.exists;
  }

  /** Calls `onFailed` once when one of the stores dies or the supervisor goes away. Throws when one is dead already. */
  async watch(stores: readonly string[], onFailed: (problem: WorkflowError) => void): Promise<void> {
    await this.request({ op: 'watch', stores: [...stores] });
    this.#onFailed = onFailed;
  }

  close(): void {
    this.#closing = true;
    this.#socket.destroy();
  }

  async #ask(request: Request): Promise<Reply> {
    const answer = new Promise<Reply>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    writeJsonLine(this.#socket, request);
    const reply = await answer;
    if ('failed' in reply) throw fromWire(reply.failed);
    return reply;
  }

  #onReply(reply: Reply): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting.resolve(reply);
    else if ('failed' in reply) this.#fail(fromWire(reply.failed));
  }

  #onClose(): void {
    if (this.#closing) return;
    for (const { reject } of this.#waiting.splice(0)) {
      reject(new WorkflowError({ code: 'RUN1004', message: 'the supervisor of this job ended before it answered' }));
    }
    this.#fail(
      new WorkflowError({
        code: 'RUN1005',
        message: 'the supervisor of this job has gone, and its stores with it',
        hint: 'run/status/ has its log',
      }),
    );
  }

  #fail(problem: WorkflowError): void {
    const onFailed = this.#onFailed;
    this.#onFailed = undefined;
    onFailed?.(problem);
  }
}
