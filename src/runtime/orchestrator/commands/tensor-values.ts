import type { Dtype } from '../../../ml/dtypes.js';
import { DoubleReply, type Reply } from '../resp/reply.js';
import { CommandError } from './command.js';
import { latin1 } from './words.js';

type NumericDtype = Exclude<Dtype, 'STRING'>;

interface Codec {
  readonly bytes: number;
  read(view: DataView, at: number): Reply;
  /** False if the word is no value of the type. */
  write(view: DataView, at: number, word: string): boolean;
}

function integers(
  bytes: number,
  low: bigint,
  high: bigint,
  get: (view: DataView, at: number) => number | bigint,
  set: (view: DataView, at: number, value: bigint) => void,
): Codec {
  return {
    bytes,
    read: get,
    write(view, at, word) {
      if (!/^[+-]?\d{1,20}$/.test(word)) return false;
      const value = BigInt(word.replace(/^\+/, ''));
      if (value < low || value > high) return false;
      set(view, at, value);
      return true;
    },
  };
}

function floats(
  bytes: number,
  limit: number,
  get: (view: DataView, at: number) => number,
  set: (view: DataView, at: number, value: number) => void,
): Codec {
  return {
    bytes,
    read: (view, at) => new DoubleReply(floatText(get(view, at))),
    write(view, at, word) {
      const value = floatValue(word);
      if (value === undefined || (Number.isFinite(value) && Math.abs(value) > limit)) return false;
      set(view, at, value);
      return true;
    },
  };
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  return Object.is(value, -0) ? '-0' : String(value);
}

function floatValue(word: string): number | undefined {
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(word);
  if (special !== null) {
    if (special[2]?.toLowerCase() === 'nan') return Number.NaN;
    return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word) ? Number(word) : undefined;
}

const codecs: Readonly<Record<NumericDtype, Codec>> = {
  FLOAT: floats(
    4,
    3.4028234663852886e38,
    (view, at) => view.getFloat32(at, true),
    (view, at, value) => view.setFloat32(at, value, true),
  ),
  DOUBLE: floats(
    8,
    Number.MAX_VALUE,
    (view, at) => view.getFloat64(at, true),
    (view, at, value) => view.setFloat64(at, value, true),
  ),
  INT8: integers(
    1,
    -128n,
    127n,
    (view, at) => view.getInt8(at),
    (view, at, value) => view.setInt8(at, Number(value)),
  ),
  INT16: integers(
    2,
    -32768n,
    32767n,
    (view, at) => view.getInt16(at, true),
    (view, at, value) => view.setInt16(at, Number(value), true),
  ),
  INT32: integers(
    4,
    -(2n ** 31n),
    2n ** 31n - 1n,
    (view, at) => view.getInt32(at, true),
    (view, at, value) => view.setInt32(at, Number(value), true),
  ),
  INT64: integers(
    8,
    -(2n ** 63n),
    2n ** 63n - 1n,
    (view, at) => view.getBigInt64(at, true),
    (view, at, value) => view.setBigInt64(at, value, true),
  ),
  UINT8: integers(
    1,
    0n,
    255n,
    (view, at) => view.getUint8(at),
    (view, at, value) => view.setUint8(at, Number(value)),
  ),
  UINT16: integers(
    2,
    0n,
    65535n,
    (view, at) => view.getUint16(at, true),
    (view, at, value) => view.setUint16(at, Number(value), true),
  ),
  BOOL: integers(
    1,
    0n,
    1n,
    (view, at) => view.getUint8(at),
    (view, at, value) => view.setUint8(at, Number(value)),
  ),
};

/** The bytes of a tensor written as words. */
export function tensorBytesOfValues(dtype: Dtype, elements: number, words: readonly Buffer[]): Buffer {
  if (words.length !== elements) {
    throw new CommandError("ERR wrong number of values was given in 'AI.TENSORSET' command");
  }
  if (dtype === 'STRING') return stringBytes(words);
  const codec = codecs[dtype];
  const view = new DataView(new ArrayBuffer(elements * codec.bytes));
  for (const [index, word] of words.entries()) {
    if (!codec.write(view, index * codec.bytes, latin1(word))) throw new CommandError('ERR invalid value');
  }
  return Buffer.from(view.buffer);
}

/** The elements of a tensor as replies: integers, doubles, or text for strings. */
export function* tensorValues(dtype: Dtype, bytes: Buffer): Generator<Reply, void> {
  if (dtype === 'STRING') {
    yield* stringValues(bytes);
    return;
  }
  const codec = codecs[dtype];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; at += codec.bytes) yield codec.read(view, at);
}

function stringBytes(words: readonly Buffer[]): Buffer {
  // Each may bring the NUL that ends it.
  const texts = words.map((word) => (word.at(-1) === 0 ? word.subarray(0, -1) : word));
  if (texts.some((text) => text.includes(0))) throw new CommandError('ERR C-string value contains null character');
  const bytes = Buffer.allocUnsafeSlow(texts.reduce((length, text) => length + text.length + 1, 0));
  let at = 0;
  for (const word of texts) {
    bytes.set(word, at);
    at += word.length;
    bytes[at] = 0;
    at += 1;
  }
  return bytes;
}

function* stringValues(bytes: Buffer): Generator<Reply, void> {
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0, start);
    const value = bytes.subarray(start, end === -1 ? bytes.length : end);
    // A copy: the tensor may be overwritten before the reply is written.
    yield Buffer.from(value);
    start = end === -1 ? bytes.length : end + 1;
  }
}
