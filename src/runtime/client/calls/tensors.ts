import { setTimeout as sleep } from 'node:timers/promises';
import { slotOf } from '../../slots.js';
import { ClientError } from '../client-error.js';
import type { Word } from '../connection.js';
import type { Session } from '../session.js';
import type { Shards } from '../shards.js';
import { bytesOf, checkTensor, type Dtype, type Tensor, tensorOfReply } from '../tensor.js';

/** Times to look for something. */
export interface PollOptions {
  /** Pause after each miss, in milliseconds. */
  readonly intervalMs: number;
  readonly attempts: number;
}

/** Looks until the condition holds; false if it never did. */
export async function poll(condition: () => Promise<boolean>, { intervalMs, attempts }: PollOptions): Promise<boolean> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    if (await condition()) return true;
    if (attempt < attempts) await sleep(intervalMs);
  }
  return false;
}

export async function storeTensor(shards: Shards, key: string | Buffer, value: Tensor): Promise<void> {
  await shards.of(key).send(...tensorSetWords(key, value));
}

export async function fetchTensor(shards: Shards, key: string | Buffer): Promise<Tensor> {
  return tensorOfReply(await shards.of(key).send(...tensorGetWords(key)));
}

/** The tensor of that name, which must be of that type if one is given. */
export async function getTensor({ shards, names }: Session, name: string, dtype: Dtype | undefined): Promise<Tensor> {
  const value = await fetchTensor(shards, names.read('tensor', name));
  if (dtype === undefined || value.dtype === dtype) return value;
  throw new ClientError(`the tensor '${name}' has the type ${value.dtype}, not ${dtype}`);
}

export async function renameTensor({ shards, names }: Session, name: string, newName: string): Promise<void> {
  const [from, to] = [names.read('tensor', name), names.written('tensor', newName)];
  if (!shards.several || slotOf(from) === slotOf(to)) {
    await shards.of(from).send('RENAME', from, to);
    return;
  }
  await storeTensor(shards, to, await fetchTensor(shards, from));
  await deleteKey(shards, from);
}

export async function keyExists(shards: Shards, key: string): Promise<boolean> {
  return (await shards.of(key).send('EXISTS', key)) === 1;
}

export async function deleteKey(shards: Shards, key: string): Promise<void> {
  await shards.of(key).send(shards.clustered ? 'UNLINK' : 'DEL', key);
}

export function tensorSetWords(key: Word, value: Tensor): Word[] {
  checkTensor(value);
  return ['AI.TENSORSET', key, value.dtype, ...value.shape.map(String), 'BLOB', bytesOf(value)];
}

export function tensorGetWords(key: Word): Word[] {
  return ['AI.TENSORGET', key, 'META', 'BLOB'];
}
