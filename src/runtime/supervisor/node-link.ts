import type { Socket } from 'node:net';
import { writeJsonLine } from './json-lines.js';
import { FromStore, type ToStore } from './link-messages.js';
import type { StoreWord } from './messages.js';
import { Pulse } from './pulse.js';

/** The supervisor's end of the link to a store's process on one node. */
export class NodeLink {
  readonly host: string;
  readonly #socket: Socket;
  readonly #pulse: Pulse;
  readonly #questions = new Map<number, (exists: boolean | undefined) => void>();
  #next = 0;
  #onWord: (word: StoreWord) => void = () => {};
  #onClosed: () => void = () => {};
  #silent = false;
  #goneAt: number | undefined;

  /** Takes over a socket whose other end has proved itself, all but the reading. */
  constructor(socket: Socket, host: string, beatMs: number) {
    this.host = host;
    this.#socket = socket;
    this.#pulse = new Pulse(
      beatMs,
      () => this.#send({ beat: true }),
      () => {
        this.#silent = true;
        this.#goneAt ??= performance.now();
        socket.destroy();
      },
    );
    // The other end tells its last words after it was told to end; once it has ended, there is nothing left to say.
    socket.once('end', () => {
      this.#goneAt ??= performance.now();
      socket.end();
    });
    socket.once('close', () => {
      this.#goneAt ??= performance.now();
      this.#pulse.stop();
      for (const answer of this.#questions.values()) answer(undefined);
      this.#questions.clear();
      this.#onClosed();
    });
  }

  /** Tells what is done with words, and at the end of the link. */
  listen(onWord: (word: StoreWord) => void, onClosed: () => void): void {
    this.#onWord = onWord;
    this.#onClosed = onClosed;
    if (this.#socket.destroyed) onClosed();
  }

  /** When the first sign came that the other end has gone; a link that is reset closes faster than one that is ended. */
  get goneAt(): number | undefined {
    return this.#goneAt;
  }

  /** True if the other end gave no sign of life any more. */
  get isSilent(): boolean {
    return this.#silent;
  }

  /** Tells the process to end, which it may do slowly: it is not asked for signs of life any more. */
  end(): void {
    this.#pulse.stop();
    this.#socket.end();
  }

  /** Cuts the link. */
  cut(): void {
    this.#socket.destroy();
  }

  /** Tells the process its part of a cluster, or what has become of another server. */
  tell(message: Extract<ToStore, { cluster: unknown } | { change: unknown }>): void {
    this.#send(message);
  }

  /** True once the process has answered; false when its link closes before. */
  async answers(): Promise<boolean> {
    return (await this.#ask(undefined)) !== undefined;
  }

  /** True if a key exists in the store there; `undefined` when the link closes before the answer. */
  exists(key: string): Promise<boolean | undefined> {
    return this.#ask(key);
  }

  /** Takes what the other end has sent. */
  receive(value: unknown): void {
    this.#pulse.heard();
    const { data } = FromStore.safeParse(value);
    if (data === undefined) return;
    if ('word' in data) this.#onWord(data.word);
    else if ('answer' in data) {
      this.#questions.get(data.answer)?.(data.exists ?? false);
      this.#questions.delete(data.answer);
    }
  }

  #ask(key: string | undefined): Promise<boolean | undefined> {
    if (this.#socket.destroyed || this.#socket.writableEnded) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const question = this.#next++;
      this.#questions.set(question, resolve);
      this.#send({ question, ...(key === undefined ? {} : { key }) });
    });
  }

  #send(message: ToStore): void {
    if (!this.#socket.destroyed) writeJsonLine(this.#socket, message);
  }
}
