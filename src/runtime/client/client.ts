import * as datasets from './calls/datasets.js';
import type { Gpus, Names, OneOfGpus } from './calls/models.js';
import * as models from './calls/models.js';
import type { ServerInfo } from './calls/servers.js';
import * as servers from './calls/servers.js';
import * as tensors from './calls/tensors.js';
import { type PollOptions, poll } from './calls/tensors.js';
import type { Dataset } from './dataset.js';
import { KeyNames } from './key-names.js';
import type { ModelOptions, MultiGpuModelOptions } from './model.js';
import type { Session } from './session.js';
import { type Environment, readSettings } from './settings.js';
import { Shards } from './shards.js';
import type { Dtype, Tensor, TensorOf } from './tensor.js';

/** The store to connect to. */
export interface ConnectOptions {
  /** The store's identifier: variables are looked up as `NAME_SUFFIX`. */
  readonly suffix?: string;
  /** Default `process.env`. */
  readonly env?: Environment;
}

/**
 * A client of the orchestrator. Its keys and bytes are those of the SmartRedis clients in Fortran, C, C++ and Python.
 *
 * ```ts
 * const client = await Client.connect();
 * await client.putTensor('velocity', tensor(new Float32Array(96 * 96 * 2), [96, 96, 2]));
 * await client.runModel('surrogate', ['velocity'], ['profile']);
 * const profile = await client.getTensor('profile', 'FLOAT');
 * await client.close();
 * ```
 * All calls reject with {@link ClientError}. An address is one of {@link Client.addresses}; without one the first server is asked.
 */
export class Client {
  readonly #session: Session;
  #chunkBytes: number | undefined;

  private constructor(session: Session) {
    this.#session = session;
  }

  /** Connects to the store that the environment names in `SSDB`. */
  static async connect({ suffix, env = process.env }: ConnectOptions = {}): Promise<Client> {
    const settings = readSettings(env, suffix);
    const names = new KeyNames(settings.sources, settings.keyOut);
    return new Client({ shards: await Shards.open(settings), names, modelTimeoutMs: settings.modelTimeoutMs });
  }

  /** Reads from the entity of that name from now on; it must be one of `SSKEYIN`. */
  setDataSource(name: string): void {
    this.#session.names.setSource(name);
  }

  /** Turns prefixes of tensor names on or off. Default: on. */
  useTensorPrefix(on: boolean): void {
    this.#session.names.usePrefix('tensor', on);
  }

  /** Turns prefixes of names of models and scripts on or off. Default: off. */
  useModelPrefix(on: boolean): void {
    this.#session.names.usePrefix('model', on);
  }

  /** Turns prefixes of data set names on or off. Default: on. */
  useDatasetPrefix(on: boolean): void {
    this.#session.names.usePrefix('dataset', on);
  }

  /** Turns prefixes of list names on or off. Default: on. */
  useListPrefix(on: boolean): void {
    this.#session.names.usePrefix('list', on);
  }

  /** Ends the connections once pending calls are answered. */
  async close(): Promise<void> {
    await this.#session.shards.close();
  }

  /** Stores a tensor. Its array must stay as it is until the promise settles. */
  async putTensor(name: string, value: Tensor): Promise<void> {
    const { shards, names } = this.#session;
    await tensors.storeTensor(shards, names.written('tensor', name), value);
  }

  /** Reads a tensor; with a type it must be of that type. */
  async getTensor(name: string): Promise<Tensor>;
  async getTensor<D extends Dtype>(name: string, dtype: D): Promise<TensorOf<D>>;
  async getTensor(name: string, dtype?: Dtype): Promise<Tensor> {
    return tensors.getTensor(this.#session, name, dtype);
  }

  /** Deletes a tensor; one that is not there is no error. */
  async deleteTensor(name: string): Promise<void> {
    await tensors.deleteKey(this.#session.shards, this.#session.names.read('tensor', name));
  }

  /** Renames a tensor; the new key gets the prefix that is written with. */
  async renameTensor(name: string, newName: string): Promise<void> {
    await tensors.renameTensor(this.#session, name, newName);
  }

  /** Copies a tensor by way of this client. */
  async copyTensor(name: string, copyName: string): Promise<void> {
    await this.putTensor(copyName, await this.getTensor(name));
  }

  async tensorExists(name: string): Promise<boolean> {
    return this.keyExists(this.#session.names.read('tensor', name));
  }

  /** True if the literal key exists. */
  async keyExists(key: string): Promise<boolean> {
    return tensors.keyExists(this.#session.shards, key);
  }

  /** Waits for a tensor; false if it did not come. */
  async pollTensor(name: string, options: PollOptions): Promise<boolean> {
    return this.pollKey(this.#session.names.read('tensor', name), options);
  }

  /** Waits for a literal key; false if it did not come. */
  async pollKey(key: string, options: PollOptions): Promise<boolean> {
    return poll(() => this.keyExists(key), options);
  }

  /** Stores a data set, overwriting one of that name. */
  async putDataset(dataset: Dataset): Promise<void> {
    await datasets.putDataset(this.#session, dataset);
  }

  async getDataset(name: string): Promise<Dataset> {
    return datasets.getDataset(this.#session, name);
  }

  /** Copies a data set by way of this client. */
  async copyDataset(name: string, copyName: string): Promise<void> {
    await datasets.copyDataset(this.#session, name, copyName);
  }

  async renameDataset(name: string, newName: string): Promise<void> {
    await this.copyDataset(name, newName);
    await this.deleteDataset(name);
  }

  /** Deletes a data set; one that is not there is an error. */
  async deleteDataset(name: string): Promise<void> {
    await datasets.deleteDataset(this.#session, name);
  }

  async datasetExists(name: string): Promise<boolean> {
    return datasets.datasetExists(this.#session, name);
  }

  /** Waits for a data set; false if it did not come. */
  async pollDataset(name: string, options: PollOptions): Promise<boolean> {
    return poll(() => this.datasetExists(name), options);
  }

  /** Adds a data set, which is stored, to the end of a list. */
  async appendToList(list: string, dataset: Dataset): Promise<void> {
    await datasets.appendToList(this.#session, list, dataset);
  }

  /** Number of data sets in a list; 0 for one that is not there. */
  async getListLength(list: string): Promise<number> {
    return datasets.listLength(this.#session, list);
  }

  /** Waits until a list has that length; false if it did not come. */
  async pollListLength(list: string, length: number, options: PollOptions): Promise<boolean> {
    return poll(async () => (await this.getListLength(list)) === length, options);
  }

  /** Waits until a list has at least that length; false if it did not come. */
  async pollListLengthAtLeast(list: string, length: number, options: PollOptions): Promise<boolean> {
    return poll(async () => (await this.getListLength(list)) >= length, options);
  }

  /** Waits until a list has at most that length; false if it did not come. */
  async pollListLengthAtMost(list: string, length: number, options: PollOptions): Promise<boolean> {
    return poll(async () => (await this.getListLength(list)) <= length, options);
  }

  /** Deletes a list, not its data sets. */
  async deleteList(list: string): Promise<void> {
    await datasets.deleteList(this.#session, list);
  }

  /** Copies a list, not its data sets; what is at the copy's name is replaced. */
  async copyList(list: string, copyName: string): Promise<void> {
    await datasets.copyList(this.#session, list, copyName);
  }

  async renameList(list: string, newName: string): Promise<void> {
    await datasets.renameList(this.#session, list, newName);
  }

  async getDatasetsFromList(list: string): Promise<Dataset[]> {
    return this.getDatasetListRange(list, 0, -1);
  }

  /** The data sets from `start` to `end`, both included; negative numbers count from the end. */
  async getDatasetListRange(list: string, start: number, end: number): Promise<Dataset[]> {
    return datasets.datasetsOf(this.#session, list, start, end);
  }

  /** Stores a model. */
  async setModel(name: string, options: ModelOptions): Promise<void> {
    const { shards, names } = this.#session;
    await models.storeModel(shards, names.written('model', name), options, await this.#modelChunkBytes());
  }

  /** Stores a model once a GPU, under `NAME.GPU:i`, and once under its own name on `GPU`. */
  async setModelMultiGpu(name: string, options: MultiGpuModelOptions): Promise<void> {
    const { shards, names } = this.#session;
    const chunkBytes = await this.#modelChunkBytes();
    await models.onEachGpu(names.written('model', name), options, (key, device) =>
      models.storeModel(shards, key, { ...options, device }, chunkBytes),
    );
  }

  /** Models go in chunks of so many bytes from now on; told to the store, too. */
  async setModelChunkSize(bytes: number): Promise<void> {
    await models.setModelChunkSize(this.#session.shards, bytes);
    this.#chunkBytes = bytes;
  }

  /** A model's bytes. */
  async getModel(name: string): Promise<Buffer> {
    return models.fetchModel(this.#session.shards, this.#session.names.read('model', name));
  }

  /** Runs a model in the store: tensors in, tensors out, in the model's own order. */
  async runModel(name: string, inputs: Names, outputs: Names): Promise<void> {
    await models.runModel(this.#session, this.#session.names.read('model', name), inputs, outputs);
  }

  /** Runs the copy of a model on GPU `firstGpu + offset % gpus`. */
  async runModelMultiGpu(name: string, inputs: Names, outputs: Names, place: OneOfGpus): Promise<void> {
    const key = models.onGpu(this.#session.names.read('model', name), place);
    await models.runModel(this.#session, key, inputs, outputs);
  }

  /** True if there is a model or script of that name. */
  async modelExists(name: string): Promise<boolean> {
    const { first } = this.#session.shards;
    return (await first.send('EXISTS', first.modelKey(this.#session.names.read('model', name)))) === 1;
  }

  /** Waits for a model or script; false if it did not come. */
  async pollModel(name: string, options: PollOptions): Promise<boolean> {
    return poll(() => this.modelExists(name), options);
  }

  async deleteModel(name: string): Promise<void> {
    await this.#onEveryShard('AI.MODELDEL', this.#session.names.read('model', name));
  }

  /** Deletes what {@link Client.setModelMultiGpu} stored. */
  async deleteModelMultiGpu(name: string, gpus: Gpus): Promise<void> {
    const key = this.#session.names.read('model', name);
    await models.onEachGpu(key, gpus, (copy) => this.#onEveryShard('AI.MODELDEL', copy));
  }

  /** Stores a TorchScript source. `device` is `CPU`, `GPU`, or either with a number. */
  async setScript(name: string, device: string, source: string): Promise<void> {
    await this.#onEveryShard('AI.SCRIPTSET', this.#session.names.written('model', name), device, 'SOURCE', source);
  }

  /** Stores a script once a GPU, under `NAME.GPU:i`, and once under its own name on `GPU`. */
  async setScriptMultiGpu(name: string, source: string, gpus: Gpus): Promise<void> {
    const key = this.#session.names.written('model', name);
    await models.onEachGpu(key, gpus, (copy, device) =>
      this.#onEveryShard('AI.SCRIPTSET', copy, device, 'SOURCE', source),
    );
  }

  /** A script's source. */
  async getScript(name: string): Promise<string> {
    const { first } = this.#session.shards;
    const key = first.modelKey(this.#session.names.read('model', name));
    return String(await first.send('AI.SCRIPTGET', key, 'SOURCE'));
  }

  /** Runs a function of a script in the store: tensors in, tensors out. */
  async runScript(name: string, functionName: string, inputs: Names, outputs: Names): Promise<void> {
    const key = this.#session.names.read('model', name);
    await models.runScript(this.#session, key, functionName, inputs, outputs);
  }

  /** Runs a function of the copy of a script on GPU `firstGpu + offset % gpus`. */
  async runScriptMultiGpu(
    name: string,
    functionName: string,
    inputs: Names,
    outputs: Names,
    place: OneOfGpus,
  ): Promise<void> {
    const key = models.onGpu(this.#session.names.read('model', name), place);
    await models.runScript(this.#session, key, functionName, inputs, outputs);
  }

  async deleteScript(name: string): Promise<void> {
    await this.#onEveryShard('AI.SCRIPTDEL', this.#session.names.read('model', name));
  }

  /** Deletes what {@link Client.setScriptMultiGpu} stored. */
  async deleteScriptMultiGpu(name: string, gpus: Gpus): Promise<void> {
    const key = this.#session.names.read('model', name);
    await models.onEachGpu(key, gpus, (copy) => this.#onEveryShard('AI.SCRIPTDEL', copy));
  }

  /** Addresses of the servers of the store: `host:port` or `unix://PATH`. */
  get addresses(): string[] {
    return this.#session.shards.all.map(({ address }) => address);
  }

  /** A server's facts about itself: `info.Memory.used_memory`. */
  async info(address?: string): Promise<ServerInfo> {
    return servers.info(this.#session.shards, address);
  }

  /** A server's facts about its cluster: `cluster_state` and more. */
  async clusterInfo(address?: string): Promise<Readonly<Record<string, string>>> {
    return servers.clusterInfo(this.#session.shards, address);
  }

  /** The statistics of a model or script on a server, by RedisAI's names: `calls`, `duration` (µs), `errors` … */
  async aiInfo(name: string, address?: string): Promise<Readonly<Record<string, string>>> {
    return servers.aiInfo(this.#session.shards, name, address);
  }

  /** Lets the statistics of a model or script begin anew. */
  async resetAiInfo(name: string, address?: string): Promise<void> {
    const shard = this.#session.shards.at(address);
    await shard.send('AI.INFO', shard.modelKey(name), 'RESETSTAT');
  }

  /** Deletes everything that a server holds. */
  async flushDb(address?: string): Promise<void> {
    await this.#session.shards.at(address).send('FLUSHDB');
  }

  /** The settings of a server whose names match; none for unknown names. */
  async configGet(pattern: string, address?: string): Promise<Readonly<Record<string, string>>> {
    return servers.configGet(this.#session.shards, pattern, address);
  }

  async configSet(name: string, value: string, address?: string): Promise<void> {
    await this.#session.shards.at(address).send('CONFIG', 'SET', name, value);
  }

  /** Lets a server save what it holds to its file. */
  async save(address?: string): Promise<void> {
    await this.#session.shards.at(address).send('SAVE');
  }

  async #onEveryShard(command: string, key: string, ...words: string[]): Promise<void> {
    await models.onEveryShard(this.#session.shards, command, key, ...words);
  }

  async #modelChunkBytes(): Promise<number> {
    return this.#chunkBytes ?? (await models.modelChunkBytes(this.#session.shards));
  }
}
