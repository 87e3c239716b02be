import type { Socket } from 'node:net';
import type { BusyPoll } from '../busy-poll.js';
import { leave } from '../commands/client-facts.js';
import type { CommandContext } from '../commands/command.js';
import { repliesMayNest } from '../commands/smartredis-form.js';
import type { InboundMemory } from '../resp/inbound-memory.js';
import type { RequestLimits } from '../resp/limits.js';
import { ProtocolError } from '../resp/protocol-error.js';
import { ErrorReply, type Reply } from '../resp/reply.js';
import type { ReplyEncoder } from '../resp/reply-encoder.js';
import { type OnRequest, RequestDecoder } from '../resp/request-decoder.js';
import { ownBytes } from '../store/lendable-bytes.js';
import { type Dispatcher, outOfMemory, refused } from './dispatch.js';
import type { KeepAlive, LateReply } from './keep-alive.js';
import { type Reader, readInto } from './read-into.js';
import type { TurnAccount, TurnBudget } from './turn-budget.js';

/** Replies that wait beyond this keep further requests from being read. */
const maxUnsentBytes = 1024 * 1024;
/** Requests that wait behind a slow one, or bytes of them, beyond this keep further ones from being read. */
const maxWaitingRequests = 1024;
const maxWaitingBytes = 1024 * 1024;
/** A client that is shown every command and does not read them is dropped at this many bytes. */
const maxUnseenBytes = 32 * 1024 * 1024;

/** Chunks of requests from this size on are part of large ones. */
const largeChunkBytes = 32 * 1024;

/** What is read goes here, of whichever connection: it has been dealt with before the next is read. */
const chunk = Buffer.allocUnsafeSlow(128 * 1024);

/** Stands for a request that there was no memory for. */
const tooLarge: Buffer[] = [];

/** What the log says in place of the words of such a request, and of one that is none. */
const largeRequest = [Buffer.from('A-LARGE-REQUEST')];
const brokenRequest = [Buffer.from('A-BROKEN-REQUEST')];

/** What all connections of a server share. */
export interface ConnectionRoom {
  readonly dispatcher: Dispatcher;
  readonly encoder: ReplyEncoder;
  readonly limits: RequestLimits;
  readonly memory: InboundMemory;
  readonly keepAlive: KeepAlive;
  readonly turn: TurnBudget;
  readonly poll: BusyPoll;
  onRequest(): void;
  /** Hears of errors that should not happen. */
  onBug(error: unknown): void;
}

/** One client: reads requests, runs them in order, one at a time, and writes the replies. */
export class Connection implements LateReply, Reader {
  readonly #socket: Socket;
  readonly #context: CommandContext;
  readonly #room: ConnectionRoom;
  readonly #decoder: RequestDecoder;
  readonly #waiting: Buffer[][] = [];
  #waitingBytes = 0;
  /** It has read enough for this turn of the event loop. */
  #paused = false;
  readonly #account: TurnAccount = { turn: 0, bytes: 0 };
  /** A reply is being worked on elsewhere; later requests wait. */
  #busy = false;
  #broken: ProtocolError | undefined;
  #ending = false;
  /** What still comes is thrown away. */
  #deaf = false;
  #onIdle: (() => void) | undefined;

  /** Takes a socket over from which nothing has been read; {@link socket} is what it goes on as. */
  constructor(socket: Socket, context: CommandContext, room: ConnectionRoom) {
    this.#context = context;
    this.#room = room;
    this.#decoder = new RequestDecoder(room.limits, room.memory);
    this.#socket = readInto(socket, this);
    this.#socket.on('drain', () => this.#regulate());
    this.#socket.on('close', () => this.#onClose());
  }

  get socket(): Socket {
    return this.#socket;
  }

  room(): Buffer {
    return this.#decoder.room ?? chunk;
  }

  /** Ends once what has been asked is answered. */
  end(): Promise<void> {
    this.#ending = true;
    this.#socket.pause();
    this.#context.client.blocked?.end();
    if (!this.#busy) {
      this.#socket.end();
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Part of a reply that is not there yet. */
  send(byte: Uint8Array): boolean {
    if (this.#socket.destroyed || this.#socket.writableLength > 0) return false;
    this.#socket.write(byte);
    return true;
  }

  /** Shows a command that somebody has sent. False if the client does not look: it is dropped. */
  show(line: Uint8Array): boolean {
    if (this.#socket.writableLength > maxUnseenBytes) this.#socket.destroy();
    else if (!this.#socket.destroyed && !this.#socket.writableEnded) this.#socket.write(line);
    return !this.#socket.destroyed;
  }

  #onClose(): void {
    const { client, abandoned } = this.#context;
    if (client.work !== undefined) abandoned.add(client.work);
    leave(client);
    this.#room.keepAlive.end(this);
    this.#hearNoMore();
  }

  /** Takes no more requests. It reads on, so as to notice when the peer has gone. */
  #hearNoMore(): void {
    this.#deaf = true;
    this.#decoder.abandon();
    this.#socket.resume();
  }

  filled(bytes: number): void {
    if (this.#deaf) return;
    this.#room.poll.event();
    const direct = this.#decoder.room !== undefined;
    if (direct) this.#decoder.filled(bytes);
    else this.#decode(bytes === chunk.length ? chunk : chunk.subarray(0, bytes));
    if (bytes >= largeChunkBytes) this.#spend(bytes);
    if (direct) this.#regulate();
    else this.#settle();
  }

  #decode(bytes: Buffer): void {
    try {
      this.#decoder.feed(bytes, this.#take);
    } catch (error) {
      if (!(error instanceof ProtocolError)) {
        this.#fail(error);
        return;
      }
      this.#broken = error;
      this.#hearNoMore();
    }
  }

  /** Leaves others time in this turn of the event loop. */
  #spend(bytes: number): void {
    if (this.#paused) return;
    this.#paused = !this.#room.turn.spend(this.#account, bytes, () => {
      this.#paused = false;
      this.#regulate();
    });
  }

  readonly #take: OnRequest = (words, refused) => {
    const request = refused ? tooLarge : words;
    this.#room.onRequest();
    if (this.#context.client.quitting) return;
    if (!this.#busy && this.#waiting.length === 0) {
      this.#run(request);
      return;
    }
    this.#waiting.push(refused ? tooLarge : words.map(ownBytes));
    for (const word of request) this.#waitingBytes += word.length;
  };

  #run(request: Buffer[]): void {
    const reply = request === tooLarge ? this.#refuse() : this.#room.dispatcher.run(this.#context, request);
    if (!(reply instanceof Promise)) {
      this.#room.encoder.add(reply, this.#context.client.protocol);
      return;
    }
    this.#busy = true;
    if (repliesMayNest(this.#context.client, request)) this.#room.keepAlive.watch(this);
    void reply.then((late) => this.#finish(late)).catch((error: unknown) => this.#fail(error));
  }

  #refuse(): Reply | Promise<Reply> {
    const { transaction } = this.#context.client;
    if (transaction !== undefined) transaction.refused = true;
    return refused(this.#context, largeRequest, outOfMemory);
  }

  #finish(reply: Reply): void {
    this.#room.poll.answered();
    this.#busy = false;
    this.#context.client.work = undefined;
    const opened = this.#room.keepAlive.end(this);
    if (opened !== undefined && !this.#socket.destroyed) this.#socket.write(opened);
    this.#room.encoder.add(reply, this.#context.client.protocol);
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      for (const word of next) this.#waitingBytes -= word.length;
      this.#run(next);
      if (this.#busy) break;
    }
    this.#settle();
  }

  /** Writes what there is to write, and ends or slows the connection as its state asks for. */
  #settle(): void {
    const idle = !this.#busy && this.#waiting.length === 0;
    if (idle && this.#broken !== undefined) {
      const reply = new ErrorReply(this.#broken.message);
      void this.#context.onError?.(brokenRequest, reply);
      this.#room.encoder.add(reply);
    }
    this.#flush();
    if (idle && (this.#broken !== undefined || this.#ending || this.#context.client.quitting)) {
      this.#hearNoMore();
      this.#socket.end();
      this.#onIdle?.();
      return;
    }
    this.#regulate();
  }

  #flush(): void {
    const { pieces, releases } = this.#room.encoder.take();
    const last = pieces.length - 1;
    if (last < 0) return;
    const written = () => {
      for (const release of releases) release();
    };
    if (this.#socket.destroyed || this.#socket.writableEnded) {
      written();
      return;
    }
    if (last > 0) this.#socket.cork();
    for (let at = 0; at < last; at += 1) this.#socket.write(pieces[at] as Uint8Array);
    if (releases.length > 0) this.#socket.write(pieces[last] as Uint8Array, written);
    else this.#socket.write(pieces[last] as Uint8Array);
    if (last > 0) this.#socket.uncork();
  }

  /** A fault of this code: half a reply may be written, so the connection cannot go on. */
  #fail(error: unknown): void {
    for (const release of this.#room.encoder.take().releases) release();
    this.#room.keepAlive.end(this);
    this.#room.onBug(error);
    this.#socket.destroy();
    this.#onIdle?.();
  }

  #regulate(): void {
    if (this.#deaf) return;
    const full =
      this.#paused ||
      this.#socket.writableLength > maxUnsentBytes ||
      this.#waiting.length > maxWaitingRequests ||
      (this.#busy && this.#waitingBytes + this.#decoder.heldBytes > maxWaitingBytes);
    if (full || this.#ending) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }
}
