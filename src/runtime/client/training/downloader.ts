import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type ConnectOptions } from '../client.js';
import { ClientError, MissingDataset } from '../client-error.js';
import type { Dataset } from '../dataset.js';
import { batchOf, Regrouping, type TrainingBatch } from './batch.js';
import { type EndState, publishedEnd } from './end-of-stream.js';
import { completeInfo, publishedInfo, type TrainingInfo } from './info.js';

/** Data sets that are asked for at a time. */
const chunk = 32;

/** Names of the training set, and how it is read. */
export interface DownloaderOptions extends Partial<TrainingInfo>, ConnectOptions {
  /** Prefixes of the producers' keys, empty for none. Default: those in `SSKEYIN`. */
  readonly sources?: readonly string[];
  /** Samples in a batch. Default: as producers have put them. */
  readonly batchSize?: number;
  /** Number of this replica in distributed training, from 0. */
  readonly replicaRank?: number;
  /** Number of replicas, each of which reads its share of the batches. */
  readonly numReplicas?: number;
  /** Milliseconds between looks at the lists. Default: 50. */
  readonly waitIntervalMs?: number;
  /** Milliseconds without a new batch after which waiting fails. Default: none. */
  readonly timeoutMs?: number;
  /** Follows the published end. Default: true; without it the iteration goes on until it is left. */
  readonly endOfStream?: boolean;
  /** Position from which to go on: that of an earlier downloader. */
  readonly position?: TrainingPosition;
}

/** Places in the lists of producers, by prefix: that of the next batch of each. */
export type TrainingPosition = Readonly<Record<string, number>>;

/**
 * Reads what producers put into the store, each batch once, as it comes, until they have ended: as an async iterator.
 *
 * ```ts
 * const downloader = await TrainingDownloader.connect({ listName: 'fields' });
 * for await (const { samples, targets } of downloader) train(samples, targets);
 * ```
 * Producers are Python programs, SmartSim's included, or {@link TrainingUploader}. Names are those that they have published, else those given.
 */
export class TrainingDownloader implements AsyncIterable<TrainingBatch> {
  readonly client: Client;
  readonly sources: readonly string[];
  readonly #options: DownloaderOptions;
  readonly #places: number[];
  #info: TrainingInfo;
  #isPublished = false;
  #missing = 0;

  private constructor(client: Client, sources: readonly string[], options: DownloaderOptions) {
    const { replicaRank = 0, numReplicas = 1, position = {} } = options;
    if (!(replicaRank >= 0 && replicaRank < numReplicas)) {
      throw new ClientError(`replica ${replicaRank} of ${numReplicas}: they count from 0`);
    }
    this.client = client;
    this.sources = sources;
    this.#options = options;
    this.#info = completeInfo(options);
    this.#places = sources.map((source) => position[source] ?? replicaRank);
  }

  /** Connects to the store that the environment names. @throws ClientError */
  static async connect(options: DownloaderOptions = {}): Promise<TrainingDownloader> {
    const { suffix, env = process.env } = options;
    if (options.batchSize !== undefined && !(Number.isInteger(options.batchSize) && options.batchSize > 0)) {
      throw new ClientError(`batchSize is ${options.batchSize}; it must be a positive integer`);
    }
    const name = suffix === undefined || suffix === '' ? 'SSKEYIN' : `SSKEYIN_${suffix}`;
    const given = options.sources ?? (env[name] ?? '').split(',').filter((source) => source !== '');
    const sources = given.length === 0 ? [''] : given;
    const client = await Client.connect({ ...options, env: { ...env, [name]: sources.filter(Boolean).join() } });
    return new TrainingDownloader(client, sources, options);
  }

  /** Names of the training set, as far as they are known. */
  get info(): TrainingInfo {
    return this.#info;
  }

  /** Batches that had left the store before they were read. */
  get missing(): number {
    return this.#missing;
  }

  /** Position after the batches that have been given; with `batchSize` one that has been given in part counts as given. */
  get position(): TrainingPosition {
    return Object.fromEntries(this.sources.map((source, index) => [source, this.#places[index] ?? 0]));
  }

  /** State in which producers have ended; undefined while one goes on. */
  async publishedEnd(): Promise<EndState | undefined> {
    let state: EndState = 'complete';
    for (const source of this.sources) {
      this.#turnTo(source);
      const end = await publishedEnd(this.client, this.#info.listName);
      if (end === undefined) return undefined;
      if (end === 'failed') state = 'failed';
    }
    return state;
  }

  /** The batches, each as soon as it is there. @throws ClientError if none has come for `timeoutMs` */
  async *[Symbol.asyncIterator](): AsyncGenerator<TrainingBatch, void, undefined> {
    const { batchSize } = this.#options;
    const regrouping = batchSize === undefined ? undefined : new Regrouping(batchSize);
    for await (const batch of this.#batches()) {
      if (regrouping === undefined) yield batch;
      else yield* regrouping.add(batch);
    }
    if (regrouping?.rest !== undefined) yield regrouping.rest;
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    await this.client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async *#batches(): AsyncGenerator<TrainingBatch, void, undefined> {
    const { waitIntervalMs = 50, timeoutMs = Number.POSITIVE_INFINITY, endOfStream = true } = this.#options;
    let last = performance.now();
    for (;;) {
      // Asked before the lists: what was put before the end is in them.
      const hasEnded = endOfStream && (await this.publishedEnd()) !== undefined;
      let found = false;
      for (const index of this.sources.keys()) {
        for await (const batch of this.#newOf(index)) {
          found = true;
          yield batch;
        }
      }
      if (found) last = performance.now();
      else if (hasEnded) return;
      else if (performance.now() - last > timeoutMs) {
        throw new ClientError(
          `no batch of ${this.#info.listName} has come for ${timeoutMs} ms, and its producers have published no end`,
        );
      } else await sleep(waitIntervalMs);
    }
  }

  async *#newOf(index: number): AsyncGenerator<TrainingBatch, void, undefined> {
    const source = this.sources[index] ?? '';
    const step = this.#options.numReplicas ?? 1;
    this.#turnTo(source);
    const length = await this.client.getListLength(this.#info.listName);
    while ((this.#places[index] ?? 0) < length) {
      await this.#lookUpInfo(source);
      const from = this.#places[index] ?? 0;
      const places = Array.from({ length: chunk }, (_, number) => from + number * step).filter(
        (place) => place < length,
      );
      this.#turnTo(source);
      for (const [number, dataset] of (await Promise.all(places.map((place) => this.#datasetAt(place)))).entries()) {
        this.#places[index] = (places[number] ?? 0) + step;
        if (dataset === undefined) this.#missing++;
        else yield batchOf(dataset, this.#info);
      }
    }
  }

  async #datasetAt(place: number): Promise<Dataset | undefined> {
    try {
      return (await this.client.getDatasetListRange(this.#info.listName, place, place))[0];
    } catch (error) {
      if (error instanceof MissingDataset) return undefined;
      throw error;
    }
  }

  async #lookUpInfo(source: string): Promise<void> {
    if (this.#isPublished) return;
    this.#turnTo(source);
    const info = await publishedInfo(this.client, this.#info);
    if (info === undefined) return;
    this.#isPublished = true;
    this.#info = info;
  }

  #turnTo(source: string): void {
    this.client.useListPrefix(source !== '');
    this.client.useDatasetPrefix(source !== '');
    if (source !== '') this.client.setDataSource(source);
  }
}
