import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Dtype, elementBytes, elementCount, parseDtype } from '../../../ml/dtypes.js';
import type { AiServer } from '../ai/ai-context.js';
import { assertRoom } from '../ai/room.js';
import { LendableBytes, ownBytes } from '../bytes/lendable-bytes.js';
import { ok, type Reply } from '../resp/reply.js';
import { type AiCommand, type AiCommandContext, CommandError } from './command.js';
import { tensorBytesOfValues } from './tensor-values.js';
import { keyword, latin1 } from './words.js';

const zero = '0'.charCodeAt(0);
/** Bytes that are looked at in one turn of the event loop. */
const checkAtOnceBytes = 1024 * 1024;

/** `AI.TENSORSET key type [dim…] [BLOB data | VALUES v…]`; without data all zeros. */
export const tensorSet: AiCommand = {
  name: 'ai.tensorset',
  arity: -4,
  flags: ['write', 'denyoom'],
  keys: [1, 1, 1],
  mayNest: true,
  run(context, words) {
    const key = latin1(words[1]);
    context.tensors.read(key, 'tensor');
    const tensor = parseTensor(words, context.server);
    if (!isUnchecked(words, tensor)) return placeTensor(context, key, tensor);
    return checkInSlices(tensor).then(() => {
      context.tensors.read(key, 'tensor');
      return placeTensor(context, key, tensor);
    });
  },
  prepare(context, words) {
    const tensor = parseTensor(words, context.server);
    if (!isUnchecked(words, tensor)) return undefined;
    const key = latin1(words[1]);
    return checkInSlices(tensor).then(() => ({
      commit() {
        context.tensors.read(key, 'tensor');
        return placeTensor(context, key, tensor);
      },
      drop: () => undefined,
    }));
  },
};

/** A tensor as a request gives it. */
export interface GivenTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly bytes: Buffer;
}

/** Puts a tensor at its key. */
export function placeTensor({ tensors }: AiCommandContext, key: string, { dtype, shape, bytes }: GivenTensor): Reply {
  tensors.set(key, { kind: 'tensor', dtype, shape, bytes: new LendableBytes(bytes) });
  return ok;
}

/** Checks what {@link parseTensor} has left to check. @throws CommandError with RedisAI's texts */
export async function checkTensor(words: readonly Buffer[], tensor: GivenTensor): Promise<void> {
  if (isUnchecked(words, tensor)) await checkInSlices(tensor);
}

/** True if the content of the bytes has yet to be checked, which takes long for many of them. */
function isUnchecked(words: readonly Buffer[], { dtype, bytes }: GivenTensor): boolean {
  if (bytes.length <= checkAtOnceBytes || (dtype !== 'BOOL' && dtype !== 'STRING')) return false;
  return keyword(words.at(-2)) === 'BLOB';
}

/** The tensor from `words[2]` on, as long at most as a bulk may be. @throws CommandError with RedisAI's texts */
export function parseTensor(words: readonly Buffer[], server: AiServer): GivenTensor {
  const dtype = parseDtype(latin1(words[2]));
  if (dtype === undefined) throw new CommandError('ERR invalid data type');
  const shape: number[] = [];
  let at = 3;
  let form = '';
  for (; at < words.length; at += 1) {
    const dimension = dimensionOf(words[at] as Buffer);
    if (dimension === 0) {
      form = keyword(words[at]);
      if (form === 'BLOB' || form === 'VALUES') break;
      throw new CommandError('ERR invalid or negative value found in tensor shape');
    }
    shape.push(dimension);
  }
  const rest = words.slice(at + 1);
  if (form === 'BLOB') return { dtype, shape, bytes: blobBytes(dtype, shape, rest) };
  const bytes = form === 'VALUES' ? tensorBytesOfValues(dtype, elementCount(shape), rest) : zeros(dtype, shape, server);
  return { dtype, shape, bytes };
}

/** The number in a word of at most 16 digits; 0 if it is none. Read by hand: it is most of what a small tensor costs. */
function dimensionOf(word: Buffer): number {
  if (word.length > 16 || word[0] === zero) return 0;
  let value = 0;
  for (const byte of word) {
    const digit = byte - zero;
    if (digit < 0 || digit > 9) return 0;
    value = value * 10 + digit;
  }
  return value;
}

function blobBytes(dtype: Dtype, shape: readonly number[], rest: readonly Buffer[]): Buffer {
  const [blob] = rest;
  if (rest.length !== 1 || blob === undefined) {
    throw new CommandError("ERR a single binary string should come after the BLOB argument in 'AI.TENSORSET' command");
  }
  if (dtype !== 'STRING' && blob.length !== elementCount(shape) * elementBytes[dtype]) {
    throw new CommandError('ERR data length does not match tensor shape and type');
  }
  if (blob.length <= checkAtOnceBytes) checkContent(dtype, elementCount(shape), blob);
  return ownBytes(blob);
}

function checkContent(dtype: Dtype, elements: number, bytes: Buffer): void {
  if (dtype === 'BOOL' && !isBoolean(bytes)) throw notBoolean();
  if (dtype === 'STRING' && (countZeros(bytes) !== elements || bytes.at(-1) !== 0)) throw wrongStrings();
}

/** {@link checkContent} for many bytes, a slice a turn of the event loop. */
async function checkInSlices({ dtype, shape, bytes }: GivenTensor): Promise<void> {
  const elements = elementCount(shape);
  let zeros = 0;
  for (let at = 0; at < bytes.length; at += checkAtOnceBytes) {
    const slice = bytes.subarray(at, at + checkAtOnceBytes);
    if (dtype === 'BOOL' && !isBoolean(slice)) throw notBoolean();
    if (dtype === 'STRING') zeros += countZeros(slice);
    await nextTurn();
  }
  if (dtype === 'STRING' && (zeros !== elements || bytes.at(-1) !== 0)) throw wrongStrings();
}

/** True if each byte is 0 or 1. */
function isBoolean(bytes: Buffer): boolean {
  let at = 0;
  let others = 0;
  if (bytes.byteOffset % 4 === 0) {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    for (let word = 0; word < words.length; word += 1) others |= words[word] as number;
    others &= 0xfefefefe;
    at = words.length * 4;
  }
  for (; at < bytes.length; at += 1) others |= (bytes[at] as number) & 0xfe;
  return others === 0;
}

function notBoolean(): CommandError {
  return new CommandError('ERR BOOL tensor elements must be 0 or 1');
}

function wrongStrings(): CommandError {
  return new CommandError('ERR Number of string elements in data blob does not match tensor length');
}

function zeros(dtype: Dtype, shape: readonly number[], server: AiServer): Buffer {
  const length = elementCount(shape) * (dtype === 'STRING' ? 1 : elementBytes[dtype]);
  if (length > server.limits.maxBulkBytes) {
    throw new CommandError('ERR invalid or negative value found in tensor shape');
  }
  assertRoom({ server }, length);
  return Buffer.from(new ArrayBuffer(length));
}

function countZeros(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(0); at !== -1; at = bytes.indexOf(0, at + 1)) count += 1;
  return count;
}
