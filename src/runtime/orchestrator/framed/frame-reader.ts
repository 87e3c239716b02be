import type { Dtype } from '../../../ml/dtypes.js';
import { takeBuffer } from '../memory/spare-buffers.js';
import {
  dtypeOf,
  type Header,
  headerBytes,
  type Kind,
  kinds,
  ops,
  parts,
  readHeader,
  readNumber,
  recordBytes,
} from './frames.js';

const bufferBytes = 64 * 1024;
/** From this size on bytes are read into the memory where they stay. */
const directBytes = 16 * 1024;
const noBytes = Buffer.alloc(0);

/** A key of a request, and what it held when the request came. */
export interface Given {
  /** Index of the key among the words. */
  readonly word: number;
  readonly kind: Kind;
  readonly part: (typeof parts)[number];
  /** Tells a model or script from all others of the server. */
  readonly serial: bigint;
  /** Element type of a tensor; its shape follows. */
  readonly dtype: Dtype | undefined;
  readonly shape: readonly number[];
  /** Properties of a model or script. */
  readonly properties: Buffer;
  /** Bytes with an ArrayBuffer of their own. */
  readonly bytes: Buffer;
}

/** A request of the server: a client's words, and the values at their keys. */
export interface FramedRequest {
  readonly id: bigint;
  readonly words: Buffer[];
  readonly given: readonly Given[];
}

/** Takes what the frames say. */
export interface FrameHandler {
  greeted(version: number): void;
  request(request: FramedRequest): void;
  forget(serial: bigint): void;
}

/** Reads frames from bytes as they come; large values go straight to where they stay. A frame that makes no sense throws. */
export class FrameReader {
  readonly #handler: FrameHandler;
  readonly #buffer = Buffer.allocUnsafeSlow(bufferBytes);
  #start = 0;
  #end = 0;
  readonly #headerBuffer = Buffer.alloc(headerBytes);
  #header: Header | undefined;
  #meta = Buffer.alloc(0);
  #phase: 'header' | 'meta' | 'data' = 'header';
  #given: Given[] = [];
  #wordLengths: number[] = [];
  /** Buffers that the frame fills next, the first of them being filled. */
  #targets: Buffer[] = [this.#headerBuffer];
  #target = 0;
  #filled = 0;
  #isDirect = false;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** Memory for the next bytes. */
  room(): Buffer {
    const target = this.#targets[this.#target];
    this.#isDirect = this.#start === this.#end && target !== undefined && target.length - this.#filled >= directBytes;
    if (this.#isDirect && target !== undefined) return target.subarray(this.#filled);
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
    }
    return this.#end === 0 ? this.#buffer : this.#buffer.subarray(this.#end);
  }

  /** So many bytes have come there. */
  filled(bytes: number): void {
    if (this.#isDirect) this.#filled += bytes;
    else this.#end += bytes;
    for (;;) {
      const target = this.#targets[this.#target];
      if (target === undefined) {
        this.#next();
        continue;
      }
      const there = Math.min(target.length - this.#filled, this.#end - this.#start);
      if (there > 0) {
        this.#buffer.copy(target, this.#filled, this.#start, this.#start + there);
        this.#start += there;
        this.#filled += there;
      }
      if (this.#filled < target.length) break;
      this.#target += 1;
      this.#filled = 0;
    }
    // A full buffer would leave no room to read into.
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
    }
  }

  /** Goes on when all that was wanted is there. */
  #next(): void {
    const [words] = this.#targets;
    this.#target = 0;
    this.#targets = [this.#headerBuffer];
    if (this.#phase === 'header') this.#beginFrame(readHeader(this.#headerBuffer));
    else if (this.#phase === 'meta') this.#beginData();
    else this.#endRequest(words ?? Buffer.alloc(0));
  }

  #beginFrame(header: Header): void {
    if (header.op === ops.hello) this.#handler.greeted(Number(header.id));
    else if (header.op === ops.forget) this.#handler.forget(header.id);
    else if (header.op === ops.request) {
      this.#header = header;
      this.#meta = Buffer.allocUnsafe(header.meta);
      this.#targets = [this.#meta];
      this.#phase = 'meta';
    } else throw new Error(`the server sent a frame of the unknown kind ${header.op}`);
  }

  #beginData(): void {
    const { first: words = 0, second: keys = 0 } = this.#header ?? {};
    let at = words * 8;
    this.#wordLengths = [];
    let wordBytes = 0;
    for (let word = 0; word < words; word += 1) {
      const length = readNumber(this.#meta, word * 8);
      this.#wordLengths.push(length);
      wordBytes += length;
    }
    // The words get a buffer to themselves, since a model's bytes may stay where they are.
    this.#targets = [wordBytes >= directBytes ? Buffer.allocUnsafeSlow(wordBytes) : Buffer.allocUnsafe(wordBytes)];
    this.#given = [];
    for (let key = 0; key < keys; key += 1) {
      const given = readGiven(this.#meta, at);
      at += recordBytes + 8 * given.shape.length;
      this.#given.push(given);
      if (given.part === 'whole' || given.part === 'properties') this.#targets.push(given.properties, given.bytes);
    }
    this.#phase = 'data';
  }

  #endRequest(all: Buffer): void {
    const words: Buffer[] = [];
    let at = 0;
    for (const length of this.#wordLengths) {
      words.push(all.subarray(at, at + length));
      at += length;
    }
    const request = { id: this.#header?.id ?? 0n, words, given: this.#given };
    this.#given = [];
    this.#phase = 'header';
    this.#handler.request(request);
  }
}

function readGiven(meta: Buffer, at: number): Given {
  const rank = meta.readUInt32LE(at + 24);
  const propertyBytes = meta.readUInt32LE(at + 28);
  const shape: number[] = [];
  for (let axis = 0; axis < rank; axis += 1) shape.push(readNumber(meta, at + recordBytes + 8 * axis));
  return {
    word: meta.readUInt32LE(at),
    kind: kinds[meta[at + 4] ?? 0] ?? 'other',
    part: parts[meta[at + 6] ?? 0] ?? 'kind',
    serial: meta.readBigUInt64LE(at + 8),
    dtype: dtypeOf(meta[at + 5] ?? 0),
    shape,
    properties: propertyBytes === 0 ? noBytes : Buffer.allocUnsafe(propertyBytes),
    bytes: takeBuffer(readNumber(meta, at + 16)),
  };
}
