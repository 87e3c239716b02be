import { ClientError } from '../client-error.js';
import type { Word } from '../connection.js';
import { completeField, Dataset } from '../dataset.js';
import type { Session } from '../session.js';
import type { Shards } from '../shards.js';
import { tensorOfReply } from '../tensor.js';
import { fetchTensor, storeTensor, tensorGetWords, tensorSetWords } from './tensors.js';

export async function putDataset({ shards, names }: Session, dataset: Dataset): Promise<void> {
  const base = names.written('dataset', `{${dataset.name}}`);
  const tensors = dataset.tensorNames.map((name) => tensorSetWords(`${base}.${name}`, dataset.getTensor(name)));
  await putMetadata(shards, base, dataset, tensors);
}

export async function getDataset({ shards, names }: Session, name: string): Promise<Dataset> {
  return fetchDataset(shards, name, names.read('dataset', `{${name}}`));
}

export async function copyDataset({ shards, names }: Session, name: string, copyName: string): Promise<void> {
  const from = names.read('dataset', `{${name}}`);
  const to = names.written('dataset', `{${copyName}}`);
  const { dataset, tensorNames } = await metadataOf(shards, name, from);
  for (const tensor of tensorNames) {
    const value = await fetchTensor(shards, `${from}.${tensor}`);
    dataset.addTensor(tensor, value);
    await storeTensor(shards, `${to}.${tensor}`, value);
  }
  await putMetadata(shards, to, dataset);
}

export async function deleteDataset({ shards, names }: Session, name: string): Promise<void> {
  const base = names.read('dataset', `{${name}}`);
  const { tensorNames } = await metadataOf(shards, name, base);
  const meta = `${base}.meta`;
  await shards.of(meta).send('DEL', meta, ...tensorNames.map((tensor) => `${base}.${tensor}`));
}

export async function datasetExists({ shards, names }: Session, name: string): Promise<boolean> {
  const meta = `${names.read('dataset', `{${name}}`)}.meta`;
  return (await shards.of(meta).send('HEXISTS', meta, completeField)) === 1;
}

export async function appendToList({ shards, names }: Session, list: string, dataset: Dataset): Promise<void> {
  const key = names.written('list', list);
  await shards.of(key).send('RPUSH', key, names.written('dataset', `{${dataset.name}}`));
}

export async function listLength({ shards, names }: Session, list: string): Promise<number> {
  const key = names.read('list', list);
  return Number(await shards.of(key).send('LLEN', key));
}

export async function deleteList({ shards, names }: Session, list: string): Promise<void> {
  const key = names.read('list', list);
  await shards.of(key).send('DEL', key);
}

export async function copyList(session: Session, list: string, copyName: string): Promise<void> {
  const { shards, names } = session;
  const key = names.written('list', copyName);
  const members = await membersOf(session, list, 0, -1);
  if (members.length === 0) throw new ClientError(`there is no list '${list}'`);
  const shard = shards.of(key);
  await shard.send('DEL', key);
  await shard.send('RPUSH', key, ...members);
}

export async function renameList(session: Session, list: string, newName: string): Promise<void> {
  const { names } = session;
  if (names.read('list', list) === names.written('list', newName)) return;
  await copyList(session, list, newName);
  await deleteList(session, list);
}

/** The data sets from `start` to `end`, both included; negative numbers count from the end. */
export async function datasetsOf(session: Session, list: string, start: number, end: number): Promise<Dataset[]> {
  const members = await membersOf(session, list, start, end);
  return Promise.all(
    members.map((member) => {
      const base = String(member);
      return fetchDataset(session.shards, base.slice(base.indexOf('{') + 1, base.lastIndexOf('}')), base);
    }),
  );
}

/** The data set whose keys begin with `base`. */
async function fetchDataset(shards: Shards, name: string, base: string): Promise<Dataset> {
  const { dataset, tensorNames } = await metadataOf(shards, name, base);
  const shard = shards.of(base);
  const replies = await shard.sendAll(tensorNames.map((tensor): Word[] => tensorGetWords(`${base}.${tensor}`)));
  for (const [index, tensor] of tensorNames.entries()) dataset.addTensor(tensor, tensorOfReply(replies[index]));
  return dataset;
}

/** Writes the hash of a data set, and between its fields and the one that says that all is there the tensors. */
async function putMetadata(shards: Shards, base: string, dataset: Dataset, tensors: Word[][] = []): Promise<void> {
  const meta = `${base}.meta`;
  const whole: Word[][] = [['DEL', meta], ['HMSET', meta, ...dataset.hashWords()], ...tensors];
  await shards.of(meta).sendAll([...whole, ['HSET', meta, completeField, '1']]);
}

async function metadataOf(shards: Shards, name: string, base: string): Promise<ReturnType<typeof Dataset.ofReply>> {
  const meta = `${base}.meta`;
  return Dataset.ofReply(name, await shards.of(meta).send('HGETALL', meta));
}

async function membersOf({ shards, names }: Session, list: string, start: number, end: number): Promise<Buffer[]> {
  const key = names.read('list', list);
  const reply = await shards.of(key).send('LRANGE', key, String(start), String(end));
  return Array.isArray(reply) ? (reply as Buffer[]) : [];
}
