import type { NumericDtype } from '../../ml/dtypes.js';

/** The element types that a .npy file and a tensor share, by the tensor's names. */
export type NpyDtype = NumericDtype;

/** Header of a .npy file. */
export interface NpyHeader {
  readonly dtype: NpyDtype;
  /** Row-major; empty for a scalar. */
  readonly shape: readonly number[];
  /** Where the elements begin, little-endian; they reach to the end of the file. */
  readonly dataAt: number;
}

/** A file is no .npy file, or of a kind that no tensor can hold. */
export class NpyError extends Error {
  override readonly name = 'NpyError';
}

const descriptions: Readonly<Record<NpyDtype, string>> = {
  FLOAT: '<f4',
  DOUBLE: '<f8',
  INT8: '|i1',
  INT16: '<i2',
  INT32: '<i4',
  INT64: '<i8',
  UINT8: '|u1',
  UINT16: '<u2',
};

const magic = Buffer.from('\x93NUMPY', 'latin1');
const alignment = 64;

/** The bytes before the elements, in version 1.0 of the format. The elements follow in row-major order, little-endian. */
export function npyHeader(dtype: NpyDtype, shape: readonly number[]): Buffer {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descriptions[dtype]}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const start = magic.length + 4;
  const padded = Math.ceil((start + text.length + 1) / alignment) * alignment - start;
  const length = Buffer.alloc(2);
  length.writeUInt16LE(padded);
  return Buffer.concat([magic, Buffer.from([1, 0]), length, Buffer.from(`${text.padEnd(padded - 1)}\n`, 'latin1')]);
}

/** Reads what stands before the elements; `bytes` is the whole file, whose length is checked. @throws NpyError */
export function parseNpy(bytes: Buffer): NpyHeader {
  if (bytes.length < 12 || !bytes.subarray(0, magic.length).equals(magic)) throw new NpyError('it is no .npy file');
  const major = bytes[6] ?? 0;
  if (major < 1 || major > 3) throw new NpyError(`it has version ${major} of the format; 1, 2 and 3 are read`);
  const start = major === 1 ? 10 : 12;
  const dataAt = start + (major === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8));
  if (dataAt > bytes.length) throw new NpyError('it is cut short');
  const text = bytes.toString('latin1', start, dataAt);
  const description = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const tuple = /'shape'\s*:\s*\(([\d,\s]*)\)/.exec(text)?.[1];
  if (description === undefined || order === undefined || tuple === undefined) {
    throw new NpyError('its header cannot be read');
  }
  const dtype = dtypeOf(description);
  const shape = tuple
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(Number);
  if (order === 'True' && shape.length > 1) {
    throw new NpyError('its elements are in Fortran order; numpy.ascontiguousarray(array) gives C order');
  }
  const expected = shape.reduce((product, size) => product * size, Number(descriptions[dtype].slice(2)));
  if (bytes.length - dataAt !== expected) {
    throw new NpyError(`it has ${bytes.length - dataAt} bytes of elements where its shape needs ${expected}`);
  }
  return { dtype, shape, dataAt };
}

function dtypeOf(description: string): NpyDtype {
  const plain = description.replace('=', '<');
  const found = (Object.keys(descriptions) as NpyDtype[]).find(
    (name) => descriptions[name] === plain || (plain.endsWith('1') && descriptions[name].slice(1) === plain.slice(1)),
  );
  if (found !== undefined) return found;
  const known = Object.values(descriptions).join(', ');
  throw new NpyError(`its element type is '${description}'; a tensor can hold ${known}`);
}
