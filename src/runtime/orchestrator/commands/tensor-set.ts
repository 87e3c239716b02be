import { ok } from '../resp/reply.js';
import { LendableBytes, ownBytes } from '../store/lendable-bytes.js';
import { type Dtype, elementBytes, elementCount, parseDtype } from '../tensor/dtype.js';
import { type Command, CommandError } from './command.js';
import { tensorBytesOfValues } from './tensor-values.js';
import { latin1 } from './words.js';

/** `AI.TENSORSET key type [dim…] [BLOB data | VALUES v…]`; without data all zeros. */
export const tensorSet: Command = {
  name: 'ai.tensorset',
  arity: -4,
  flags: ['write', 'denyoom'],
  keys: [1, 1, 1],
  run({ store, server }, words) {
    const key = latin1(words[1]);
    store.read(key, 'tensor');
    const dtype = parseDtype(latin1(words[2]));
    if (dtype === undefined) throw new CommandError('ERR invalid data type');
    const shape: number[] = [];
    let at = 3;
    let form = '';
    for (; at < words.length; at += 1) {
      const text = latin1(words[at]);
      if (/^[1-9]\d{0,15}$/.test(text)) shape.push(Number(text));
      else {
        form = text.toUpperCase();
        if (form === 'BLOB' || form === 'VALUES') break;
        throw new CommandError('ERR invalid or negative value found in tensor shape');
      }
    }
    const rest = words.slice(at + 1);
    const bytes =
      form === 'BLOB'
        ? blobBytes(dtype, shape, rest)
        : form === 'VALUES'
          ? tensorBytesOfValues(dtype, elementCount(shape), rest)
          : zeros(dtype, shape, server.limits.maxBulkBytes);
    store.set(key, { kind: 'tensor', dtype, shape, bytes: new LendableBytes(bytes) });
    return ok;
  },
};

function blobBytes(dtype: Dtype, shape: readonly number[], rest: readonly Buffer[]): Buffer {
  const [blob] = rest;
  if (rest.length !== 1 || blob === undefined) {
    throw new CommandError("ERR a single binary string should come after the BLOB argument in 'AI.TENSORSET' command");
  }
  const elements = elementCount(shape);
  if (dtype === 'STRING') {
    if (countZeros(blob) !== elements || blob.at(-1) !== 0) {
      throw new CommandError('ERR Number of string elements in data blob does not match tensor length');
    }
  } else if (blob.length !== elements * elementBytes[dtype]) {
    throw new CommandError('ERR data length does not match tensor shape and type');
  }
  if (dtype === 'BOOL' && !blob.every((byte) => byte <= 1)) {
    throw new CommandError('ERR BOOL tensor elements must be 0 or 1');
  }
  return ownBytes(blob);
}

function zeros(dtype: Dtype, shape: readonly number[], limit: number): Buffer {
  const length = elementCount(shape) * (dtype === 'STRING' ? 1 : elementBytes[dtype]);
  if (length > limit) throw new CommandError('ERR invalid or negative value found in tensor shape');
  return Buffer.from(new ArrayBuffer(length));
}

function countZeros(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(0); at !== -1; at = bytes.indexOf(0, at + 1)) count += 1;
  return count;
}
