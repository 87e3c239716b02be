import { type Dtype, elementBytes } from '../../../../ml/dtypes.js';
import { takeBuffer } from '../../memory/spare-buffers.js';
import type { OutputMessage } from '../messages.js';

/** Operations of frames. `docs/worker-protocol.md` describes them; `python/simwright/worker/frames.py` is the other end. */
export const operations = { load: 1, run: 2, unload: 3, ready: 64, loaded: 65, ran: 66, failed: 67 } as const;

/** The bytes `SWF1`, with which a frame begins. */
const magic = 0x31465753;
const headerBytes = 32;
const descriptionBytes = 16;
const dimensionBytes = 8;

/** Element types; the code of each in a frame is its position, counted from 1. Code 0 is an output that is no tensor. */
const dtypes = Object.keys(elementBytes) as readonly Dtype[];
const codes: Readonly<Record<string, number>> = Object.fromEntries(dtypes.map((dtype, index) => [dtype, index + 1]));

/** A tensor to send: its bytes may lie in several pieces. */
export interface FrameTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly parts: readonly Uint8Array[];
}

/** A frame to send. */
export interface OutgoingFrame {
  readonly op: number;
  readonly id: number;
  readonly model: number;
  readonly tensors?: readonly FrameTensor[];
  /** Anything that JSON can hold. */
  readonly info?: object | undefined;
  /** Bytes that are no tensor. */
  readonly data?: Uint8Array;
}

/** A frame's bytes: pieces to be written one after the other. The tensors' own are not copied. */
export function encodeFrame({ op, id, model, tensors = [], info, data }: OutgoingFrame): Uint8Array[] {
  const text = info === undefined ? '' : JSON.stringify(info);
  let metaBytes = Buffer.byteLength(text);
  let dataBytes = data?.length ?? 0;
  for (const { shape, parts } of tensors) {
    metaBytes += descriptionBytes + dimensionBytes * shape.length;
    dataBytes += padded(lengthOf(parts));
  }
  const head = Buffer.alloc(headerBytes + padded(metaBytes));
  head.writeUInt32LE(magic, 0);
  head.writeUInt32LE(op, 4);
  head.writeUInt32LE(id, 8);
  head.writeUInt32LE(model, 12);
  head.writeUInt32LE(tensors.length, 16);
  head.writeUInt32LE(metaBytes, 20);
  writeLong(head, dataBytes, 24);
  let at = headerBytes;
  const pieces: Uint8Array[] = [head];
  for (const { dtype, shape, parts } of tensors) {
    const length = lengthOf(parts);
    head.writeUInt32LE(codes[dtype] ?? 0, at);
    head.writeUInt32LE(shape.length, at + 4);
    writeLong(head, length, at + 8);
    at += descriptionBytes;
    for (const dimension of shape) {
      writeLong(head, dimension, at);
      at += dimensionBytes;
    }
    for (const part of parts) if (part.length > 0) pieces.push(part);
    if (padded(length) > length) pieces.push(zeros.subarray(0, padded(length) - length));
  }
  head.write(text, at);
  if (data !== undefined) pieces.push(data);
  return pieces;
}

/** A frame that has come. */
export interface IncomingFrame {
  readonly op: number;
  readonly id: number;
  /** Null for an output that is no tensor. */
  readonly outputs: readonly (OutputMessage | null)[];
  readonly info: unknown;
}

const zeros = new Uint8Array(8);

/** Makes frames of the chunks that a socket reads. Each tensor gets a buffer of its own. */
export class FrameReader {
  readonly #onFrame: (frame: IncomingFrame) => void;
  readonly #header = Buffer.alloc(headerBytes);
  #meta: Buffer | undefined;
  #outputs: (OutputMessage | null)[] = [];
  /** Bytes that are filled next, one after the other. */
  #targets: Buffer[] = [];
  #filled = 0;
  #stage: 'header' | 'meta' | 'data' = 'header';

  constructor(onFrame: (frame: IncomingFrame) => void) {
    this.#onFrame = onFrame;
    this.#targets = [this.#header];
  }

  /** @throws Error if the bytes are no frame */
  read(chunk: Buffer): void {
    let at = 0;
    for (;;) {
      for (let target = this.#targets[0]; target !== undefined; target = this.#targets[0]) {
        const count = Math.min(target.length - this.#filled, chunk.length - at);
        chunk.copy(target, this.#filled, at, at + count);
        at += count;
        this.#filled += count;
        if (this.#filled < target.length) return;
        this.#filled = 0;
        this.#targets.shift();
      }
      this.#goOn();
    }
  }

  /** All bytes of a stage are there. */
  #goOn(): void {
    if (this.#stage === 'header') {
      if (this.#header.readUInt32LE(0) !== magic) throw new Error('no frame begins here');
      this.#meta = Buffer.alloc(padded(this.#header.readUInt32LE(20)));
      this.#targets = [this.#meta];
      this.#stage = 'meta';
    } else if (this.#stage === 'meta') {
      this.#readDescriptions();
      this.#stage = 'data';
    } else {
      const outputs = this.#outputs;
      const info = this.#info();
      this.#targets = [this.#header];
      this.#stage = 'header';
      this.#onFrame({ op: this.#header.readUInt32LE(4), id: this.#header.readUInt32LE(8), outputs, info });
    }
  }

  #textAt = 0;

  #readDescriptions(): void {
    const meta = this.#meta as Buffer;
    this.#outputs = [];
    let at = 0;
    for (let left = this.#header.readUInt32LE(16); left > 0; left -= 1) {
      const code = meta.readUInt32LE(at);
      const rank = meta.readUInt32LE(at + 4);
      const length = readLong(meta, at + 8);
      at += descriptionBytes;
      const shape = Array.from({ length: rank }, (_, index) => readLong(meta, at + dimensionBytes * index));
      at += dimensionBytes * rank;
      const dtype = dtypes[code - 1];
      if (dtype === undefined) {
        this.#outputs.push(null);
        continue;
      }
      const bytes = takeBuffer(length);
      this.#outputs.push({ dtype, shape, buffer: bytes.buffer as ArrayBuffer });
      if (length > 0) this.#targets.push(bytes);
      if (padded(length) > length) this.#targets.push(Buffer.alloc(padded(length) - length));
    }
    this.#textAt = at;
  }

  #info(): unknown {
    const text = this.#meta?.toString('utf8', this.#textAt, this.#header.readUInt32LE(20)) ?? '';
    return text === '' ? {} : JSON.parse(text);
  }
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((length, part) => length + part.length, 0);
}

function padded(length: number): number {
  return Math.ceil(length / 8) * 8;
}

/** Numbers below 2^53, in eight bytes. */
function writeLong(target: Buffer, value: number, at: number): void {
  target.writeUInt32LE(value % 2 ** 32, at);
  target.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
}

function readLong(source: Buffer, at: number): number {
  return source.readUInt32LE(at) + source.readUInt32LE(at + 4) * 2 ** 32;
}
