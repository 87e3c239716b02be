import { Client, type ConnectOptions } from '../client.js';
import { ClientError } from '../client-error.js';
import { Dataset } from '../dataset.js';
import type { Tensor } from '../tensor.js';
import { type EndState, endDataset, endName } from './end-of-stream.js';
import { completeInfo, formName, hasTargets, publishInfo, type TrainingInfo } from './info.js';

/** Names of the training set, and how its batches are kept. */
export interface UploaderOptions extends Partial<TrainingInfo>, ConnectOptions {
  /** Rank of this process among those that put batches into one list. */
  readonly rank?: number;
  /** Number of such processes, with `rank`. */
  readonly ranks?: number;
  /** Batches that stay in the store. Default: `memory`, all until the store has no room for the next; `all` keeps them in any case. */
  readonly keepLast?: number | 'memory' | 'all';
  /** Goes on after the batches that an earlier attempt has put. Default: true. */
  readonly resume?: boolean;
}

/**
 * Puts batches of samples into the store, for a trainer that runs meanwhile: in Python, or {@link TrainingDownloader}.
 *
 * ```ts
 * await using uploader = await TrainingUploader.connect({ listName: 'fields' });
 * await uploader.publishInfo();
 * await uploader.putBatch(tensor(fields, [8, 96, 96]), tensor(drags, [8, 1]));
 * ```
 * The first dimension of tensors counts samples. At the end of its block, or by `end()`, trainers are told that no more comes.
 */
export class TrainingUploader {
  readonly info: TrainingInfo;
  /** Client that reads what this uploader has written. */
  readonly client: Client;
  readonly #options: UploaderOptions;
  #batches = 0;
  #oldest = 0;
  #hasEnded = false;

  private constructor(client: Client, info: TrainingInfo, options: UploaderOptions) {
    this.client = client;
    this.info = info;
    this.#options = options;
  }

  /** Connects to the store that the environment names. @throws ClientError */
  static async connect(options: UploaderOptions = {}): Promise<TrainingUploader> {
    const info = completeInfo(options);
    if (info.listName === '' || info.sampleName === '') {
      throw new ClientError('the list and the tensor of samples need names');
    }
    const { keepLast, suffix, env = process.env } = options;
    if (typeof keepLast === 'number' && !(Number.isInteger(keepLast) && keepLast > 0)) {
      throw new ClientError(`keepLast is ${keepLast}; it must be a number of batches, 'memory' or 'all'`);
    }
    const nameOf = (name: string): string => (suffix === undefined || suffix === '' ? name : `${name}_${suffix}`);
    const ownKeys = { ...env, [nameOf('SSKEYIN')]: env[nameOf('SSKEYOUT')] };
    const client = await Client.connect({ ...options, env: ownKeys });
    const uploader = new TrainingUploader(client, info, options);
    await uploader.#begin();
    return uploader;
  }

  /** Number of batches that have been put, by earlier attempts too. */
  get batches(): number {
    return this.#batches;
  }

  /** Publishes the names, so that a trainer needs to know that of the list only. */
  async publishInfo(): Promise<void> {
    await publishInfo(this.client, this.info);
  }

  /** Puts a batch into the store, and its name at the end of the list. @throws ClientError */
  async putBatch(samples: Tensor, targets?: Tensor): Promise<void> {
    if (this.#hasEnded) throw new ClientError('end() has been called: no batch can follow');
    const { listName, sampleName, targetName } = this.info;
    const dataset = new Dataset(this.#nameOf(this.#batches)).addTensor(sampleName, samples);
    if (targets !== undefined && hasTargets(this.info)) {
      if (targets.shape[0] !== samples.shape[0]) {
        throw new ClientError(
          `samples have the shape [${samples.shape.join(', ')}] and targets [${targets.shape.join(', ')}]: the first dimension counts samples`,
        );
      }
      dataset.addTensor(targetName, targets);
    }
    this.#batches++;
    await this.#withRoom(() => this.client.putDataset(dataset));
    await this.#withRoom(() => this.client.appendToList(listName, dataset));
    const { keepLast } = this.#options;
    while (typeof keepLast === 'number' && this.#batches - this.#oldest > keepLast) await this.#dropOldest();
  }

  /** Publishes that no more batches come; trainers end when they have those that are there. May be called again. @throws ClientError */
  async end(state: EndState = 'complete'): Promise<void> {
    if (this.#hasEnded) return;
    const { rank, ranks } = this.#options;
    if (rank !== undefined && ranks === undefined) throw new ClientError('one rank of how many has ended? Say ranks');
    const end = { state, batches: this.#batches, ranks: ranks ?? 1 };
    const dataset = endDataset(this.info.listName, rank, end);
    await this.#withRoom(() => this.client.putDataset(dataset));
    this.#hasEnded = true;
  }

  /** Ends the connection, not the stream. */
  async close(): Promise<void> {
    await this.client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end().finally(() => this.close());
  }

  async #begin(): Promise<void> {
    const { rank, resume = true } = this.#options;
    if (resume) {
      // After the last batch that is there: those before it may have given way.
      for (let index = await this.client.getListLength(this.info.listName); index > 0 && this.#batches === 0; index--) {
        if (await this.client.datasetExists(this.#nameOf(index - 1))) this.#batches = index;
      }
    }
    const end = endName(this.info.listName, rank);
    if (await this.client.datasetExists(end)) await this.client.deleteDataset(end);
  }

  #nameOf(index: number): string {
    return formName('training_samples', this.#options.rank, index);
  }

  /** Puts something, if need be in place of the oldest batches. */
  async #withRoom(put: () => Promise<void>): Promise<void> {
    const mayDrop = (this.#options.keepLast ?? 'memory') === 'memory';
    for (;;) {
      try {
        return await put();
      } catch (error) {
        if (!mayDrop || !/\bOOM /.test(String(error)) || this.#oldest >= this.#batches) throw error;
        await this.#dropOldest();
      }
    }
  }

  /** Deletes the oldest batch. Its name stays in the list, whose places are what trainers count by. */
  async #dropOldest(): Promise<void> {
    const name = this.#nameOf(this.#oldest++);
    if (await this.client.datasetExists(name)) await this.client.deleteDataset(name);
  }
}
