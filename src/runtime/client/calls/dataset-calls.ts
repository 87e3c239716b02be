import { ClientError } from '../client-error.js';
import type { Word } from '../connection.js';
import { completeField, Dataset } from '../dataset.js';
import { tensorOfReply } from '../tensor.js';
import { type PollOptions, TensorCalls, tensorGetWords, tensorSetWords } from './tensor-calls.js';

/** Calls about data sets. */
export abstract class DatasetCalls extends TensorCalls {
  /** Stores a data set, overwriting one of that name. */
  async putDataset(dataset: Dataset): Promise<void> {
    const base = this.names.written('dataset', `{${dataset.name}}`);
    const meta = `${base}.meta`;
    const tensors = dataset.tensorNames.map((name) => tensorSetWords(`${base}.${name}`, dataset.getTensor(name)));
    await this.shards
      .of(meta)
      .sendAll([
        ['DEL', meta],
        ['HMSET', meta, ...dataset.hashWords()],
        ...tensors,
        ['HSET', meta, completeField, '1'],
      ]);
  }

  async getDataset(name: string): Promise<Dataset> {
    const base = this.names.read('dataset', `{${name}}`);
    return this.fetchDataset(name, base);
  }

  /** Copies a data set by way of this client. */
  async copyDataset(name: string, copyName: string): Promise<void> {
    const from = this.names.read('dataset', `{${name}}`);
    const to = this.names.written('dataset', `{${copyName}}`);
    const { dataset, tensorNames } = await this.#metadataOf(name, from);
    for (const tensor of tensorNames) {
      const value = await this.fetchTensor(`${from}.${tensor}`);
      dataset.addTensor(tensor, value);
      await this.storeTensor(`${to}.${tensor}`, value);
    }
    const meta = `${to}.meta`;
    await this.shards.of(meta).sendAll([
      ['DEL', meta],
      ['HMSET', meta, ...dataset.hashWords()],
      ['HSET', meta, completeField, '1'],
    ]);
  }

  async renameDataset(name: string, newName: string): Promise<void> {
    await this.copyDataset(name, newName);
    await this.deleteDataset(name);
  }

  /** Deletes a data set; one that is not there is an error. */
  async deleteDataset(name: string): Promise<void> {
    const base = this.names.read('dataset', `{${name}}`);
    const { tensorNames } = await this.#metadataOf(name, base);
    const meta = `${base}.meta`;
    await this.shards.of(meta).send('DEL', meta, ...tensorNames.map((tensor) => `${base}.${tensor}`));
  }

  async datasetExists(name: string): Promise<boolean> {
    const meta = `${this.names.read('dataset', `{${name}}`)}.meta`;
    return (await this.shards.of(meta).send('HEXISTS', meta, completeField)) === 1;
  }

  /** Waits for a data set; false if it did not come. */
  async pollDataset(name: string, options: PollOptions): Promise<boolean> {
    return this.poll(() => this.datasetExists(name), options);
  }

  /** Adds a data set, which is stored, to the end of a list. */
  async appendToList(list: string, dataset: Dataset): Promise<void> {
    const key = this.names.written('list', list);
    await this.shards.of(key).send('RPUSH', key, this.names.written('dataset', `{${dataset.name}}`));
  }

  /** How many data sets a list has; 0 for one that is not there. */
  async getListLength(list: string): Promise<number> {
    const key = this.names.read('list', list);
    return Number(await this.shards.of(key).send('LLEN', key));
  }

  /** Waits until a list has that length; false if it did not come. */
  async pollListLength(list: string, length: number, options: PollOptions): Promise<boolean> {
    return this.poll(async () => (await this.getListLength(list)) === length, options);
  }

  /** Waits until a list has at least that length; false if it did not come. */
  async pollListLengthAtLeast(list: string, length: number, options: PollOptions): Promise<boolean> {
    return this.poll(async () => (await this.getListLength(list)) >= length, options);
  }

  /** Waits until a list has at most that length; false if it did not come. */
  async pollListLengthAtMost(list: string, length: number, options: PollOptions): Promise<boolean> {
    return this.poll(async () => (await this.getListLength(list)) <= length, options);
  }

  /** Deletes a list, not its data sets. */
  async deleteList(list: string): Promise<void> {
    const key = this.names.read('list', list);
    await this.shards.of(key).send('DEL', key);
  }

  /** Copies a list, not its data sets; what is at the copy's name is replaced. */
  async copyList(list: string, copyName: string): Promise<void> {
    const key = this.names.written('list', copyName);
    const members = await this.#members(list, 0, -1);
    if (members.length === 0) throw new ClientError(`there is no list '${list}'`);
    const shard = this.shards.of(key);
    await shard.send('DEL', key);
    await shard.send('RPUSH', key, ...members);
  }

  async renameList(list: string, newName: string): Promise<void> {
    if (this.names.read('list', list) === this.names.written('list', newName)) return;
    await this.copyList(list, newName);
    await this.deleteList(list);
  }

  async getDatasetsFromList(list: string): Promise<Dataset[]> {
    return this.getDatasetListRange(list, 0, -1);
  }

  /** The data sets from `start` to `end`, both included; negative numbers count from the end. */
  async getDatasetListRange(list: string, start: number, end: number): Promise<Dataset[]> {
    const members = await this.#members(list, start, end);
    return Promise.all(
      members.map((member) => {
        const base = String(member);
        return this.fetchDataset(base.slice(base.indexOf('{') + 1, base.lastIndexOf('}')), base);
      }),
    );
  }

  /** The data set whose keys begin with `base`. */
  protected async fetchDataset(name: string, base: string): Promise<Dataset> {
    const { dataset, tensorNames } = await this.#metadataOf(name, base);
    const shard = this.shards.of(base);
    const replies = await shard.sendAll(tensorNames.map((tensor): Word[] => tensorGetWords(`${base}.${tensor}`)));
    for (const [index, tensor] of tensorNames.entries()) dataset.addTensor(tensor, tensorOfReply(replies[index]));
    return dataset;
  }

  async #metadataOf(name: string, base: string): Promise<ReturnType<typeof Dataset.ofReply>> {
    const meta = `${base}.meta`;
    return Dataset.ofReply(name, await this.shards.of(meta).send('HGETALL', meta));
  }

  async #members(list: string, start: number, end: number): Promise<Buffer[]> {
    const key = this.names.read('list', list);
    const reply = await this.shards.of(key).send('LRANGE', key, String(start), String(end));
    return Array.isArray(reply) ? (reply as Buffer[]) : [];
  }
}
