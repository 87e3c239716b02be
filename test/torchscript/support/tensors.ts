import { createRequire } from 'node:module';
import { elementBytes, elementCount } from '../../../src/ml/dtypes.js';
import { compileFunction, parseScript, type TensorDtype } from '../../../src/torchscript/index.js';
import type { Case, GivenTensor } from './pytorch.js';

const onnxTypes: Readonly<Record<TensorDtype, string>> = {
  FLOAT: 'float32',
  DOUBLE: 'float64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  UINT8: 'uint8',
  BOOL: 'bool',
};
const views = {
  FLOAT: Float32Array,
  DOUBLE: Float64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  UINT8: Uint8Array,
  BOOL: Uint8Array,
} as const;

/** Elements of a tensor as numbers. */
export function numbersOf({ dtype, bytes }: GivenTensor): number[] {
  const copy = Uint8Array.from(bytes).buffer;
  return Array.from(new views[dtype](copy) as Iterable<number | bigint>, Number);
}

/** A tensor of numbers. */
export function tensorOf(dtype: TensorDtype, shape: readonly number[], numbers: readonly number[]): GivenTensor {
  const elements =
    dtype === 'INT64'
      ? BigInt64Array.from(numbers.map((one) => BigInt(Math.trunc(one))))
      : views[dtype].from(numbers as never);
  const { buffer } = elements as Uint8Array;
  if (numbers.length !== elementCount(shape)) throw new Error('another number of elements');
  return { dtype, shape, bytes: new Uint8Array(buffer, 0, numbers.length * elementBytes[dtype]) };
}

/** Random numbers that are the same in every run. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

const runtime = createRequire(import.meta.url)('onnxruntime-node');
runtime.env.logLevel = 'fatal';

/** Outputs of a case by the compiler and ONNX Runtime. `outputs` is their number. */
export async function compiledResults(
  { source, function: name, inputs }: Case,
  outputs: number,
): Promise<readonly GivenTensor[]> {
  const script = parseScript(source);
  const bytes = compileFunction(script, { name, isEntryPoint: false, inputs, keys: [], args: [], outputs });
  const session = await runtime.InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const feeds = Object.fromEntries(
    inputs.map(({ dtype, shape, bytes }, at) => {
      const data = new views[dtype](Uint8Array.from(bytes).buffer);
      return [`input${at}`, new runtime.Tensor(onnxTypes[dtype], data, shape)];
    }),
  );
  const results = await session.run(feeds);
  await session.release();
  return session.outputNames.map((output: string) => {
    const { type, dims, data } = results[output];
    const dtype = Object.entries(onnxTypes).find(([, other]) => other === type)?.[0] as TensorDtype;
    return { dtype, shape: dims, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
  });
}
