import { ownBytes } from '../bytes/lendable-bytes.js';
import type { MemoryBudget } from '../memory/memory-budget.js';
import { putBack, takeBuffer } from '../memory/spare-buffers.js';
import { inlineWords } from './inline-request.js';
import { defaultLimits, type RequestLimits } from './limits.js';
import { ProtocolError } from './protocol-error.js';

const CR = 13;
const LF = 10;
const ASTERISK = 42;
const DOLLAR = 36;
const MINUS = 45;
const ZERO = 48;
/** Most lines are no longer than this. */
const shortLineBytes = 16;
/** A length line may not be longer than this before its end is seen. */
const maxLineBytes = 64 * 1024;
const noBytes = Buffer.alloc(0);

/** So much of a bulk must be missing for it to be read to its place; less comes with what follows it in one chunk. */
const directFromBytes = 64 * 1024;
/** Most bytes that are read directly to their place at once. */
const directBytes = 256 * 1024;

/** Bulks above this get their whole buffer at once only as long as others leave room for that … */
const growingFromBytes = 1024 * 1024;
/** … else one that is so many times larger each time it is full, and a whole one after so many bytes. */
const growth = 8;
const wholeFromBytes = 64 * 1024 * 1024;

/** Size in bytes below which words share one buffer when their request goes on in another chunk: a buffer takes 300 bytes. */
const togetherBelowBytes = 512;
/** Size in bytes up to which requests are read whatever memory there is. */
const smallRequestBytes = 64 * 1024;
/** Memory that a word takes besides its bytes. */
const wordOverheadBytes = 136;

/** Receives a request. Its words may be views of the chunk, which are valid only until the call returns. */
export type OnRequest = (request: Buffer[], refused: boolean) => void;

/**
 * Turns bytes into requests: arrays of bulk strings, or lines of text. Holds no socket.
 *
 * Arguments that lie whole in one chunk with their request's end are views of it; all others are gathered once into a
 * buffer of their own ({@link Buffer.allocUnsafeSlow}), so that a command may keep them without copying. The rest of
 * a large one is best read straight {@link room | to its place}.
 */
export class RequestDecoder {
  readonly #limits: RequestLimits;
  readonly #memory: MemoryBudget | undefined;
  /** The part of that memory that belongs to this decoder. */
  #reserved = 0;
  /** There is no memory for the bulk being read: it is read past. */
  #skipping = false;
  /** Part of the request has been read past. */
  #refused = false;
  /** The start of a line whose end has not come yet. */
  #line = noBytes;
  #remainingArguments = 0;
  #arguments: Buffer[] = [];
  #argumentBytes = 0;
  /** So many of them have been looked at after their chunk: they are no views of it. */
  #kept = 0;
  /** Length of the bulk being read, -1 between bulks. */
  #bulkBytes = -1;
  /** The buffer of a bulk that spans chunks, perhaps not of all of it, and how much of it is there. */
  #bulk: Buffer | undefined;
  /** Bytes of it that memory has been promised for, and that are not there yet. */
  #promised = 0;
  #filled = 0;
  /** Bytes of the CR LF after a bulk that are still to come. */
  #trailing = 0;
  #stopped = false;

  constructor(limits: RequestLimits = defaultLimits, memory?: MemoryBudget) {
    this.#limits = limits;
    this.#memory = memory;
  }

  /** Bytes of the arguments of a request that has begun and not ended. */
  get heldBytes(): number {
    return this.#argumentBytes + (this.#bulk === undefined ? 0 : this.#filled);
  }

  /** True if a request has begun and not ended. */
  get midRequest(): boolean {
    return this.#remainingArguments > 0 || this.#line.length > 0;
  }

  /** Where the next bytes belong if they are many: they need no {@link feed} if {@link filled} hears of them. */
  get room(): Buffer | undefined {
    if (this.#bulk === undefined || this.#skipping) return undefined;
    const missing = this.#bulk.length - this.#filled;
    if (missing < directFromBytes) return undefined;
    return this.#bulk.subarray(this.#filled, this.#filled + Math.min(missing, directBytes));
  }

  /** So many bytes have been read into the {@link room}. */
  filled(bytes: number): void {
    this.#filled += bytes;
    this.#keepPromise(bytes);
    this.#grow();
    this.#count();
  }

  /** Lets {@link feed} return after the request that it hands over. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Reads a chunk and hands every request that it completes to `onRequest`, in order; with `refused` a request for
   * which there was no memory: words of it are missing. Returns how many bytes it has read: all, unless it was {@link stop}ped.
   * @throws ProtocolError, after the requests before it have been handed over; the decoder is of no use then.
   */
  feed(chunk: Buffer, onRequest: OnRequest): number {
    this.#stopped = false;
    const read = this.#read(chunk, onRequest);
    if (this.#kept < this.#arguments.length) this.#keepWords(chunk.buffer);
    if (this.#remainingArguments > 0) this.#count();
    return read;
  }

  /** Copies words that are views of a chunk, since the chunk's memory is used again. */
  #keepWords(chunk: ArrayBufferLike): void {
    const words = this.#arguments;
    let small = 0;
    for (let at = this.#kept; at < words.length; at += 1) {
      const { buffer, length } = words[at] as Buffer;
      if (buffer === chunk && length < togetherBelowBytes) small += length;
    }
    const together = Buffer.allocUnsafeSlow(small);
    let end = 0;
    for (; this.#kept < words.length; this.#kept += 1) {
      const word = words[this.#kept] as Buffer;
      if (word.buffer !== chunk) continue;
      if (word.length < togetherBelowBytes) {
        together.set(word, end);
        words[this.#kept] = together.subarray(end, end + word.length);
        end += word.length;
      } else words[this.#kept] = ownBytes(word);
    }
  }

  #read(chunk: Buffer, onRequest: OnRequest): number {
    let at = 0;
    while (at < chunk.length && !this.#stopped) {
      if (this.#bulk !== undefined && this.#filled < this.#bulkBytes) {
        at += this.#gather(this.#bulk, chunk, at);
      } else if (this.#trailing > 0) {
        const expected = this.#trailing === 2 ? CR : LF;
        if (chunk[at] !== expected) throw new ProtocolError('a bulk string is longer than it said');
        at += 1;
        this.#trailing -= 1;
        if (this.#trailing === 0) this.#endBulk(onRequest);
      } else {
        at = this.#readLine(chunk, at, onRequest);
      }
    }
    return at;
  }

  /** Sets memory aside for what is there of the request being read; where there is none, the rest is read past. */
  #count(): void {
    if (this.#memory === undefined || this.#refused) return;
    const held = this.heldBytes + this.#arguments.length * wordOverheadBytes;
    const more = held - this.#reserved;
    // A small one is never refused here: it may be what frees memory.
    if (held <= smallRequestBytes) this.#memory.add(more);
    else if (!this.#memory.reserve(more)) {
      this.#refuse();
      return;
    }
    this.#reserved = held;
  }

  #refuse(): void {
    const { buffer } = this.#bulk ?? noBytes;
    if (this.#bulk !== undefined) {
      this.#keepPromise(this.#promised);
      this.#bulk = noBytes;
      this.#skipping = true;
      putBack(buffer as ArrayBuffer);
    }
    this.#refused = true;
    this.#arguments = [];
    this.#argumentBytes = 0;
    this.#kept = 0;
    this.#release();
  }

  #keepPromise(bytes: number): void {
    const kept = Math.min(bytes, this.#promised);
    this.#promised -= kept;
    if (kept > 0) this.#memory?.keepPromise(kept);
  }

  /** A larger buffer for a bulk whose own is full and was not all of it. */
  #grow(): void {
    const full = this.#bulk;
    if (full === undefined || this.#skipping || this.#filled < full.length || full.length >= this.#bulkBytes) return;
    const wanted = full.length >= wholeFromBytes ? this.#bulkBytes : Math.min(this.#bulkBytes, full.length * growth);
    try {
      this.#bulk = takeBuffer(wanted);
    } catch {
      this.#refuse();
      return;
    }
    this.#bulk.set(full);
    putBack(full.buffer as ArrayBuffer);
  }

  /** Gives up the request being read, with its memory. The decoder is of no use then. */
  abandon(): void {
    this.#release();
    this.#keepPromise(this.#promised);
    this.#bulk = undefined;
    this.#line = noBytes;
    this.#begin(0);
  }

  /** Gives back the memory set aside for the request being read: it is complete, or will not be. */
  #release(): void {
    if (this.#reserved > 0) this.#memory?.release(this.#reserved);
    this.#reserved = 0;
  }

  #begin(expectedArguments: number): void {
    this.#remainingArguments = expectedArguments;
    this.#arguments = [];
    this.#argumentBytes = 0;
    this.#kept = 0;
  }

  #gather(bulk: Buffer, chunk: Buffer, at: number): number {
    const end = this.#skipping ? this.#bulkBytes : bulk.length;
    const bytes = Math.min(end - this.#filled, chunk.length - at);
    if (!this.#skipping) chunk.copy(bulk, this.#filled, at, at + bytes);
    this.#filled += bytes;
    this.#keepPromise(bytes);
    this.#grow();
    return bytes;
  }

  /** Reads one length line from `at`; returns where to go on. */
  #readLine(chunk: Buffer, at: number, onRequest: OnRequest): number {
    const end = endOfLine(chunk, at);
    if (this.#line.length > 0 || end === -1) {
      const piece = chunk.subarray(at, end === -1 ? chunk.length : end + 1);
      this.#line = this.#line.length === 0 ? Buffer.from(piece) : Buffer.concat([this.#line, piece]);
      this.#checkMarker(this.#line, 0);
      if (end === -1) {
        if (this.#line.length > maxLineBytes) throw new ProtocolError(this.#tooLong());
        return chunk.length;
      }
      const line = this.#line;
      this.#line = noBytes;
      this.#interpret(line, 0, line.length - 1, onRequest);
      return this.#takeWholeBulk(chunk, end + 1, onRequest);
    }
    this.#checkMarker(chunk, at);
    this.#interpret(chunk, at, end, onRequest);
    return this.#takeWholeBulk(chunk, end + 1, onRequest);
  }

  #checkMarker(bytes: Buffer, at: number): void {
    const marker = bytes[at] ?? 0;
    if (this.#remainingArguments > 0) {
      if (marker === DOLLAR) return;
      throw new ProtocolError(`expected '$', got '${marker > 32 && marker < 127 ? String.fromCharCode(marker) : ' '}'`);
    }
  }

  #tooLong(): string {
    if (this.#remainingArguments > 0) return 'too big bulk count string';
    return this.#line[0] === ASTERISK ? 'too big mbulk count string' : 'too big inline request';
  }

  /** Interprets the line in `bytes` from its marker at `start` to its LF at `end`. */
  #interpret(bytes: Buffer, start: number, end: number, onRequest: OnRequest): void {
    if (this.#remainingArguments === 0 && bytes[start] !== ASTERISK) {
      const words = inlineWords(bytes.subarray(start, end));
      if (words.length > 0) onRequest(words, false);
      return;
    }
    const value = bytes[end - 1] === CR ? readInteger(bytes, start + 1, end - 1) : Number.NaN;
    if (this.#remainingArguments > 0) {
      if (!(value >= 0 && value <= this.#limits.maxBulkBytes)) throw new ProtocolError('invalid bulk length');
      this.#bulkBytes = value;
      if (value === 0) {
        this.#bulk = Buffer.allocUnsafeSlow(0);
        this.#filled = 0;
        this.#trailing = 2;
      }
      return;
    }
    if (!(value <= this.#limits.maxArguments)) throw new ProtocolError('invalid multibulk length');
    if (value <= 0) return;
    this.#begin(value);
  }

  /** After a bulk's length line: takes the bulk as a view if all of it, with its CR LF, is in the chunk. */
  #takeWholeBulk(chunk: Buffer, at: number, onRequest: OnRequest): number {
    if (this.#bulkBytes <= 0 || this.#bulk !== undefined) return at;
    const end = at + this.#bulkBytes;
    if (end + 2 <= chunk.length) {
      if (chunk[end] !== CR || chunk[end + 1] !== LF) throw new ProtocolError('a bulk string is longer than it said');
      this.#bulk = chunk.subarray(at, end);
      this.#endBulk(onRequest);
      return end + 2;
    }
    try {
      const capacity = this.#refused ? 0 : this.#firstCapacity();
      this.#bulk = capacity === 0 ? this.#skip() : takeBuffer(capacity);
    } catch {
      throw new ProtocolError(`no memory for a bulk of ${this.#bulkBytes} bytes`);
    }
    this.#filled = 0;
    this.#trailing = 2;
    return at;
  }

  /** Bytes of the first buffer of the bulk that begins; 0 if there is no memory for it. */
  #firstCapacity(): number {
    const bytes = this.#bulkBytes;
    if (bytes <= growingFromBytes || this.#memory === undefined) return bytes;
    const promised = this.#memory.promise(bytes);
    if (promised === 'refused') {
      this.#refuse();
      return 0;
    }
    this.#promised = bytes;
    return promised === 'whole' ? bytes : growingFromBytes;
  }

  #skip(): Buffer {
    this.#skipping = true;
    return noBytes;
  }

  #endBulk(onRequest: OnRequest): void {
    const { keptArguments = Number.POSITIVE_INFINITY } = this.#limits;
    if (this.#bulk !== undefined && !this.#refused && this.#arguments.length <= keptArguments) {
      this.#arguments.push(this.#bulk);
      this.#argumentBytes += this.#bulk.length;
    }
    this.#bulk = undefined;
    this.#skipping = false;
    this.#bulkBytes = -1;
    this.#remainingArguments -= 1;
    if (this.#remainingArguments > 0) return;
    const request = this.#arguments;
    this.#begin(0);
    const refused = this.#refused;
    this.#refused = false;
    this.#release();
    onRequest(request, refused);
  }
}

/** Index of the first LF from `at` on, -1 for none. Looked for by hand first: most lines are shorter than what a call costs. */
function endOfLine(bytes: Buffer, at: number): number {
  const most = Math.min(at + shortLineBytes, bytes.length);
  for (let end = at; end < most; end += 1) if (bytes[end] === LF) return end;
  return bytes.indexOf(LF, most);
}

/** The integer in bytes[start, end), or NaN. */
function readInteger(bytes: Buffer, start: number, end: number): number {
  let at = start;
  const negative = bytes[at] === MINUS;
  if (negative) at += 1;
  if (at >= end || end - at > 19) return Number.NaN;
  let value = 0;
  for (; at < end; at += 1) {
    const digit = (bytes[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}
