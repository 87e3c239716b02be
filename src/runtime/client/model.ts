import type { BackendName } from '../../ml/backends.js';
import { ClientError } from './client-error.js';

/** Framework that a model is made with. */
export type ModelBackend = BackendName;

/** A model to store. */
export interface ModelOptions {
  readonly backend: ModelBackend;
  /** `CPU`, `GPU`, or either with a number, as `GPU:1`. */
  readonly device: string;
  /** Requests to run together at most, where the store can. */
  readonly batchSize?: number;
  readonly minBatchSize?: number;
  /** Milliseconds for which a smaller batch is held back. */
  readonly minBatchTimeout?: number;
  readonly tag?: string;
  /** Names in the graph; TF only, and needed there. */
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly blob: Uint8Array;
}

/** A model to store once for each of several GPUs. */
export interface MultiGpuModelOptions extends Omit<ModelOptions, 'device'> {
  readonly firstGpu: number;
  readonly gpus: number;
}

/** The words of `AI.MODELSTORE`. The bytes go in chunks of at most `chunkBytes`. @throws ClientError */
export function modelStoreWords(key: string | Buffer, options: ModelOptions, chunkBytes: number): (string | Buffer)[] {
  const { batchSize = 0, minBatchSize = 0, minBatchTimeout = 0, inputs = [], outputs = [] } = options;
  if ((minBatchSize > 0 || minBatchTimeout > 0) && batchSize <= 0) {
    throw new ClientError('minBatchSize and minBatchTimeout need a batchSize');
  }
  if (minBatchTimeout > 0 && minBatchSize <= 0) throw new ClientError('minBatchTimeout needs a minBatchSize');
  const words: (string | Buffer)[] = ['AI.MODELSTORE', key, options.backend, options.device];
  if (options.tag !== undefined && options.tag !== '') words.push('TAG', options.tag);
  if (batchSize > 0) words.push('BATCHSIZE', String(batchSize));
  if (minBatchSize > 0) words.push('MINBATCHSIZE', String(minBatchSize));
  if (minBatchTimeout > 0) words.push('MINBATCHTIMEOUT', String(minBatchTimeout));
  if (inputs.length > 0) words.push('INPUTS', String(inputs.length), ...inputs);
  if (outputs.length > 0) words.push('OUTPUTS', String(outputs.length), ...outputs);
  words.push('BLOB');
  const { buffer, byteOffset, byteLength } = options.blob;
  for (let at = 0; at < Math.max(byteLength, 1); at += chunkBytes) {
    words.push(Buffer.from(buffer as ArrayBuffer, byteOffset + at, Math.min(chunkBytes, byteLength - at)));
  }
  return words;
}

/** The numbers of the GPUs. @throws ClientError */
export function gpuNumbers({ firstGpu, gpus }: { readonly firstGpu: number; readonly gpus: number }): number[] {
  if (!Number.isSafeInteger(firstGpu) || firstGpu < 0 || !Number.isSafeInteger(gpus) || gpus < 1) {
    throw new ClientError(`firstGpu ${firstGpu} and gpus ${gpus} name no GPUs`);
  }
  return Array.from({ length: gpus }, (_, index) => firstGpu + index);
}
