import { type Dtype, dtypes } from '../../../ml/dtypes.js';

/** Version of the frames between a server's module and this worker: `docs/engine-protocol.md` describes them. */
export const protocolVersion = 1;

/** Bytes of a frame's header, and of a record in its body. */
export const headerBytes = 32;
export const recordBytes = 32;

/** Kinds of frames. */
export const ops = { hello: 1, request: 2, reply: 3, forget: 4 } as const;

/** Kinds of what a key holds, by their numbers in frames. */
export const kinds = ['nothing', 'tensor', 'model', 'script', 'string', 'hash', 'list', 'other'] as const;

/** Kind of what a key holds. */
export type Kind = (typeof kinds)[number];

/** Part of a value that a frame brings: no more than its kind; all of it; nothing, since the worker knows it; or its properties only. */
export const parts = ['kind', 'whole', 'known', 'properties'] as const;

/** A number of up to 53 bits in eight bytes. */
export function readNumber(from: Buffer, at: number): number {
  return from.readUInt32LE(at) + from.readUInt32LE(at + 4) * 2 ** 32;
}

/** Writes what {@link readNumber} reads. */
export function writeNumber(to: Buffer, value: number, at: number): void {
  to.writeUInt32LE(value % 2 ** 32, at);
  to.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
}

/** The element type of that number; undefined if there is none. */
export function dtypeOf(number: number): Dtype | undefined {
  return dtypes[number - 1];
}

/** Number of an element type. */
export function numberOf(dtype: Dtype): number {
  return dtypes.indexOf(dtype) + 1;
}

/** A header. */
export interface Header {
  /** Bytes that follow the header. */
  readonly body: number;
  /** Number of the request, as it came: 64 bits. */
  readonly id: bigint;
  readonly op: number;
  /** Bytes of the body that are records. */
  readonly meta: number;
  /** Number of a request's words, or of a reply's writes. */
  readonly first: number;
  /** Keys of a request, or bytes of a reply's reply. */
  readonly second: number;
}

/** Reads a header. */
export function readHeader(from: Buffer): Header {
  return {
    body: readNumber(from, 0),
    id: from.readBigUInt64LE(8),
    op: from.readUInt32LE(16),
    meta: from.readUInt32LE(20),
    first: from.readUInt32LE(24),
    second: from.readUInt32LE(28),
  };
}

/** Writes a header to the beginning of a buffer. */
export function writeHeader(to: Buffer, { body, id, op, meta, first, second }: Header): void {
  writeNumber(to, body, 0);
  to.writeBigUInt64LE(id, 8);
  to.writeUInt32LE(op, 16);
  to.writeUInt32LE(meta, 20);
  to.writeUInt32LE(first, 24);
  to.writeUInt32LE(second, 28);
}

/** The greeting of either side. */
export function hello(): Buffer {
  const frame = Buffer.alloc(headerBytes);
  writeHeader(frame, { body: 0, id: BigInt(protocolVersion), op: ops.hello, meta: 0, first: 0, second: 0 });
  return frame;
}
