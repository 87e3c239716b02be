import { ClientError } from '../client-error.js';
import type { Word } from '../connection.js';
import { gpuNumbers, type ModelOptions, modelStoreWords } from '../model.js';
import type { Session } from '../session.js';
import type { Shard, Shards } from '../shards.js';
import { fetchTensor, storeTensor } from './tensors.js';

/*
 * Models and scripts: in a cluster there is a copy of each on every shard. Keys are without the shard's prefix.
 */

/** Inputs and outputs of one run. */
export type Names = string | readonly string[];

/** GPUs by their numbers. */
export interface Gpus {
  readonly firstGpu: number;
  readonly gpus: number;
}

/** GPU `firstGpu + offset % gpus`. */
export type OneOfGpus = Gpus & { readonly offset: number };

/** Does something for the copy of a model or script on each GPU, under `NAME.GPU:i`, and then for the one on `GPU`. */
export async function onEachGpu(
  key: string,
  gpus: Gpus,
  work: (key: string, device: string) => Promise<void>,
): Promise<void> {
  for (const gpu of gpuNumbers(gpus)) await work(`${key}.GPU:${gpu}`, `GPU:${gpu}`);
  await work(key, 'GPU');
}

/** The key of the copy on one of several GPUs. */
export function onGpu(key: string, { offset, ...gpus }: OneOfGpus): string {
  const numbers = gpuNumbers(gpus);
  return `${key}.GPU:${numbers[offset % numbers.length]}`;
}

export async function storeModel(
  shards: Shards,
  key: string,
  options: ModelOptions,
  chunkBytes: number,
): Promise<void> {
  for (const shard of shards.all) await storeModelOn(shard, key, options, chunkBytes);
}

/** Stores a model on one shard. */
export async function storeModelOn(
  shard: Shard,
  key: string,
  options: ModelOptions,
  chunkBytes: number,
): Promise<void> {
  await shard.send(...modelStoreWords(shard.modelKey(key), options, chunkBytes));
}

/** Stores a script on one shard. */
export async function storeScriptOn(shard: Shard, key: string, device: string, source: string): Promise<void> {
  await shard.send('AI.SCRIPTSET', shard.modelKey(key), device, 'SOURCE', source);
}

export async function fetchModel({ first }: Shards, key: string): Promise<Buffer> {
  const reply = await first.send('AI.MODELGET', first.modelKey(key), 'BLOB');
  if (Array.isArray(reply)) return Buffer.concat(reply as Buffer[]);
  if (!Buffer.isBuffer(reply)) throw new ClientError('the server did not answer with a model');
  return reply;
}

/** Sends a command about a model or script to all shards. */
export async function onEveryShard(shards: Shards, command: string, key: string, ...words: string[]): Promise<void> {
  for (const shard of shards.all) await shard.send(command, shard.modelKey(key), ...words);
}

/** Size of the chunks in which models go, as the store wants them. */
export async function modelChunkBytes({ first }: Pick<Shards, 'first'>): Promise<number> {
  const reply = Number(await first.send('AI.CONFIG', 'GET', 'MODEL_CHUNK_SIZE'));
  if (!Number.isSafeInteger(reply) || reply < 1) throw new ClientError('the server names no usable MODEL_CHUNK_SIZE');
  return reply;
}

export async function setModelChunkSize({ all }: Shards, bytes: number): Promise<void> {
  if (!Number.isSafeInteger(bytes) || bytes < 1) throw new ClientError(`${bytes} is no chunk size`);
  for (const shard of all) await shard.send('AI.CONFIG', 'MODEL_CHUNK_SIZE', String(bytes));
}

export async function runModel(session: Session, key: string, inputs: Names, outputs: Names): Promise<void> {
  const timeout = ['TIMEOUT', String(session.modelTimeoutMs)];
  await run(session, inputs, outputs, (shard, from, to) => {
    const sections = ['INPUTS', String(from.length), ...from, 'OUTPUTS', String(to.length), ...to];
    return shard.send('AI.MODELEXECUTE', shard.modelKey(key), ...sections, ...timeout);
  });
}

export async function runScript(
  session: Session,
  key: string,
  functionName: string,
  inputs: Names,
  outputs: Names,
): Promise<void> {
  await run(session, inputs, outputs, (shard, from, to) =>
    shard.send('AI.SCRIPTRUN', shard.modelKey(key), functionName, 'INPUTS', ...from, 'OUTPUTS', ...to),
  );
}

/** With several shards the tensors are brought to the shard of the first input, and the results to where they belong. */
async function run(
  { shards, names }: Session,
  inputs: Names,
  outputs: Names,
  send: (shard: Shard, from: readonly Word[], to: readonly Word[]) => Promise<unknown>,
): Promise<void> {
  const from = [inputs].flat().map((name) => names.read('tensor', name));
  const to = [outputs].flat().map((name) => names.written('tensor', name));
  const shard = shards.of(from[0] ?? '');
  if (!shards.several) {
    await send(shard, from, to);
    return;
  }
  const here = (key: string): Buffer => shard.keyHere(`${key}.TMP`);
  try {
    for (const key of from) await storeTensor(shards, here(key), await fetchTensor(shards, key));
    await send(shard, from.map(here), to.map(here));
    for (const key of to) await storeTensor(shards, key, await fetchTensor(shards, here(key)));
  } finally {
    await shard.send('DEL', ...to.map(here), ...from.map(here));
  }
}
