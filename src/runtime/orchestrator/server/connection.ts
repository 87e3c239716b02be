import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BusyPoll } from '../busy-poll.js';
import { ownBytes } from '../bytes/lendable-bytes.js';
import { leave } from '../commands/client-facts.js';
import type { CommandContext } from '../commands/command.js';
import { repliesMayNest } from '../commands/smartredis-form.js';
import type { MemoryAccount, MemoryBudget } from '../memory/memory-budget.js';
import type { RequestLimits } from '../resp/limits.js';
import { ProtocolError } from '../resp/protocol-error.js';
import { ErrorReply, LongReply, type Reply } from '../resp/reply.js';
import { isLong, type ReplyEncoder } from '../resp/reply-encoder.js';
import { type OnRequest, RequestDecoder } from '../resp/request-decoder.js';
import { type Dispatcher, outOfMemory, refused } from './dispatch.js';
import type { KeepAlive, LateReply } from './keep-alive.js';
import { type Reader, readInto } from './read-into.js';
import type { TurnAccount, TurnBudget } from './turn-budget.js';

/** Replies that wait beyond this keep further requests from being run, beyond the second where memory is short. */
const maxUnsentBytes = 1024 * 1024;
const fewUnsentBytes = 64 * 1024;
/** Replies are handed to the socket when there are so many bytes of them. */
const flushFromBytes = 128 * 1024;
/** Milliseconds for which one connection's requests run before others have their turn. */
const turnMs = 10;
/** To look at the clock costs a twentieth of a small request. It is looked at once for so many words … */
const wordsPerLook = 24;
/** … as long as those before took no longer than this; else after each request. */
const quickMs = 0.5;
/** Memory of a connection itself, and of a waiting request besides its bytes. */
const connectionBytes = 16 * 1024;
const requestOverheadBytes = 512;
/** Requests that wait behind a slow one, or bytes of them, beyond this keep further ones from being read. */
const maxWaitingRequests = 1024;
const maxWaitingBytes = 1024 * 1024;
/** A client that is shown every command and does not read them is dropped at this many bytes. */
const maxUnseenBytes = 32 * 1024 * 1024;

/** Chunks of requests from this size on are part of large ones. */
const largeChunkBytes = 32 * 1024;

/** Read buffer of all connections: its content has been handled before the next read. */
const chunk = Buffer.allocUnsafeSlow(128 * 1024);

/** Stands for a request that there was no memory for. */
const tooLarge: Buffer[] = [];

/** Names in the log of such a request, and of bytes that are not a request. */
const largeRequest = [Buffer.from('A-LARGE-REQUEST')];
const brokenRequest = [Buffer.from('A-BROKEN-REQUEST')];

/** State that all connections of a server share. */
export interface ConnectionRoom {
  readonly dispatcher: Dispatcher;
  readonly encoder: ReplyEncoder;
  readonly limits: RequestLimits;
  readonly memory: MemoryBudget;
  readonly keepAlive: KeepAlive;
  readonly turn: TurnBudget;
  readonly poll: BusyPoll;
  onRequest(): void;
  /** Receives errors that should not happen. */
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
  /** The part of a chunk that has not been looked at yet. */
  #rest: Buffer | undefined;
  /** The next bytes come where the decoder wants them. */
  #isDirect = false;
  /** Time, by `performance.now()`, at which others have their turn. */
  #until = 0;
  /** When the clock was looked at last, how many words have been run since then, and after how many it is looked at again. */
  #lookedAtMs = 0;
  #wordsSinceLook = 0;
  #wordsToLook = 0;
  #isScheduled = false;
  /** Memory of this connection: itself, requests that wait, replies that nobody has read. */
  readonly #memory: MemoryAccount;
  /** Bytes of replies under way that belong to the store. */
  #pinnedBytes = 0;
  /** Requests waited when memory was counted last. */
  #held = false;
  /** Bytes of a long reply that is under way. */
  #replyBytes = 0;
  #onDrain: (() => void) | undefined;
  /** It has read enough for this turn of the event loop. */
  #paused = false;
  readonly #account: TurnAccount = { turn: 0, bytes: 0 };
  /** A reply is being worked on elsewhere; later requests wait. */
  #busy = false;
  #broken: ProtocolError | undefined;
  #ending = false;
  /** Further input is thrown away. */
  #deaf = false;
  #onIdle: (() => void) | undefined;

  /** Takes over a socket from which nothing has been read; {@link socket} is the one to use from then on. */
  constructor(socket: Socket, context: CommandContext, room: ConnectionRoom) {
    this.#context = context;
    this.#room = room;
    this.#decoder = new RequestDecoder(room.limits, room.memory);
    this.#socket = readInto(socket, this);
    this.#memory = room.memory.account();
    this.#count();
    this.#socket.on('drain', () => {
      this.#count();
      this.#wake();
      this.#regulate();
    });
    this.#socket.on('close', () => this.#onClose());
  }

  get socket(): Socket {
    return this.#socket;
  }

  room(): Buffer {
    const room = this.#decoder.room;
    this.#isDirect = room !== undefined;
    return room ?? chunk;
  }

  /** Ends once what has been asked is answered. */
  end(): Promise<void> {
    this.#ending = true;
    this.#socket.pause();
    this.#context.client.blocked?.end();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      this.#settle();
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
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    this.#count();
    this.#wake();
    this.#onIdle?.();
  }

  /** Takes no more requests. It reads on, so as to notice when the peer has gone. */
  #hearNoMore(): void {
    this.#deaf = true;
    this.#rest = undefined;
    this.#decoder.abandon();
    this.#socket.resume();
  }

  filled(bytes: number): void {
    if (this.#deaf) return;
    this.#room.poll.event();
    const direct = this.#isDirect;
    if (direct) this.#decoder.filled(bytes);
    else {
      const read = bytes === chunk.length ? chunk : chunk.subarray(0, bytes);
      this.#beginTurn();
      if (this.#rest === undefined) this.#decode(read);
      else this.#rest = Buffer.concat([this.#rest, read]);
    }
    if (bytes >= largeChunkBytes) this.#spend(bytes);
    if (direct) this.#regulate();
    else this.#settle();
  }

  #decode(bytes: Buffer): void {
    try {
      const read = this.#decoder.feed(bytes, this.#take);
      if (read === bytes.length) this.#rest = undefined;
      else this.#rest = bytes.buffer === chunk.buffer ? Buffer.from(bytes.subarray(read)) : bytes.subarray(read);
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
      if (this.#mustPause(request.length)) this.#decoder.stop();
      return;
    }
    this.#waiting.push(refused ? tooLarge : words.map(ownBytes));
    this.#waitingBytes += bytesOf(request);
    if (this.#isOverfull()) this.#decoder.stop();
  };

  #beginTurn(): void {
    this.#lookedAtMs = performance.now();
    this.#until = this.#lookedAtMs + turnMs;
    this.#wordsSinceLook = 0;
  }

  /** True, after a request of so many words, if whoever reads the replies is to catch up first, or others are to have their turn. */
  #mustPause(words: number): boolean {
    const mustFlush = this.#room.encoder.pendingBytes >= flushFromBytes;
    if (mustFlush) this.#flush();
    this.#wordsSinceLook += words;
    if (this.#wordsSinceLook < this.#wordsToLook) return mustFlush && this.#isUnread();
    const now = performance.now();
    this.#wordsToLook = now - this.#lookedAtMs < quickMs ? wordsPerLook : 0;
    this.#lookedAtMs = now;
    this.#wordsSinceLook = 0;
    return this.#isUnread() || now > this.#until;
  }

  #isUnread(): boolean {
    return this.#socket.writableLength > (this.#room.memory.isShort ? fewUnsentBytes : maxUnsentBytes);
  }

  #isOverfull(): boolean {
    return this.#waiting.length > maxWaitingRequests || this.#waitingBytes > maxWaitingBytes;
  }

  #run(request: Buffer[]): void {
    const reply = request === tooLarge ? this.#refuse() : this.#room.dispatcher.run(this.#context, request);
    if (!(reply instanceof Promise)) {
      this.#answer(reply);
      return;
    }
    this.#busy = true;
    if (repliesMayNest(this.#context.client, request)) this.#room.keepAlive.watch(this);
    void reply.then((late) => this.#finish(late)).catch((error: unknown) => this.#fail(error));
  }

  /** Encodes a reply; a long one is sent bit by bit, with what comes after it waiting. */
  #answer(reply: Reply): void {
    if (!isLong(reply)) {
      this.#room.encoder.add(reply, this.#context.client.protocol);
      return;
    }
    this.#busy = true;
    this.#flush();
    void this.#sendLong(reply).catch((error: unknown) => this.#fail(error));
  }

  async #sendLong(reply: Reply): Promise<void> {
    this.#replyBytes = reply instanceof LongReply ? reply.heldBytes : 0;
    this.#count();
    let until = performance.now() + turnMs / 2;
    // It goes on to the end whatever becomes of the client: what the reply has pinned is let go on the way.
    for (const _ of this.#room.encoder.addInParts(reply, this.#context.client.protocol)) {
      this.#flush();
      if (this.#isUnread() && !this.#socket.destroyed) await this.#drained();
      else if (performance.now() > until) await nextTurn();
      else continue;
      until = performance.now() + turnMs / 2;
    }
    this.#flush();
    // Requests of the same chunk may be being read at this moment.
    await undefined;
    this.#replyBytes = 0;
    this.#busy = false;
    this.#goOn();
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      this.#onDrain = resolve;
    });
  }

  #wake(): void {
    const wake = this.#onDrain;
    this.#onDrain = undefined;
    wake?.();
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
    this.#answer(reply);
    this.#goOn();
  }

  /** Runs what waits, and what has been read, until others are to have their turn. */
  #goOn(): void {
    this.#beginTurn();
    while (!this.#busy && !this.#socket.destroyed) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        this.#waitingBytes -= bytesOf(next);
        this.#run(next);
        if (this.#mustPause(next.length)) break;
      } else if (this.#rest !== undefined && !this.#deaf) {
        this.#decode(this.#rest);
        if (this.#rest !== undefined) break;
      } else break;
    }
    this.#settle();
  }

  /** Goes on in the next turn of the event loop, unless there is something else that it will go on after. */
  #schedule(): void {
    if (this.#isScheduled || this.#busy || (this.#waiting.length === 0 && this.#rest === undefined)) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (!this.#busy && !this.#isUnread()) this.#goOn();
    });
  }

  /** Writes what there is to write, and ends or slows the connection as its state asks for. */
  #settle(): void {
    const idle = !this.#busy && this.#waiting.length === 0 && this.#rest === undefined;
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
    const { pieces, releases, pinnedBytes } = this.#room.encoder.take();
    const last = pieces.length - 1;
    if (last < 0) return;
    this.#pinnedBytes += pinnedBytes;
    const written = () => {
      this.#pinnedBytes -= pinnedBytes;
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
    if (this.#socket.writableNeedDrain) this.#count();
  }

  /** Counts what this connection takes now. */
  #count(): void {
    if (this.#socket.destroyed) {
      this.#memory.set(0);
      return;
    }
    const unread = Math.max(0, this.#socket.writableLength - this.#pinnedBytes);
    const waiting = this.#waitingBytes + this.#waiting.length * requestOverheadBytes + (this.#rest?.length ?? 0);
    this.#memory.set(connectionBytes + unread + waiting + this.#replyBytes);
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
    const holds = this.#waiting.length > 0 || this.#rest !== undefined;
    if (holds || this.#held) this.#count();
    this.#held = holds;
    if (this.#deaf) return;
    if (!this.#isUnread()) this.#schedule();
    const full =
      this.#paused ||
      this.#rest !== undefined ||
      this.#isUnread() ||
      this.#waiting.length > maxWaitingRequests ||
      (this.#busy && this.#waitingBytes + this.#decoder.heldBytes > maxWaitingBytes);
    if (full || this.#ending) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
  }
}

function bytesOf(words: readonly Buffer[]): number {
  let bytes = 0;
  for (const word of words) bytes += word.length;
  return bytes;
}
