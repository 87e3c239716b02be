import { setTimeout as sleep } from 'node:timers/promises';
import { ClientError } from './client-error.js';
import { Connection } from './connection.js';
import { infoOf } from './info.js';
import { KeyNames } from './key-names.js';
import { gpuNumbers, type ModelOptions, type MultiGpuModelOptions, modelStoreWords } from './model.js';
import { type Environment, readSettings, type StoreAddress } from './settings.js';
import { bytesOf, checkTensor, type Dtype, type Tensor, type TensorOf, tensorOfReply } from './tensor.js';

/** Which store to connect to. */
export interface ConnectOptions {
  /** The store's identifier: variables are looked up as `NAME_SUFFIX`. */
  readonly suffix?: string;
  /** Default `process.env`. */
  readonly env?: Environment;
}

/** How to wait for a key. */
export interface PollOptions {
  /** Pause after each miss, in milliseconds. */
  readonly intervalMs: number;
  readonly attempts: number;
}

/** Inputs and outputs of one run. */
type Names = string | readonly string[];

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
 * All calls reject with {@link ClientError}.
 */
export class Client {
  readonly #connection: Connection;
  readonly #names: KeyNames;
  readonly #modelTimeoutMs: number;

  private constructor(connection: Connection, names: KeyNames, modelTimeoutMs: number) {
    this.#connection = connection;
    this.#names = names;
    this.#modelTimeoutMs = modelTimeoutMs;
  }

  /** Connects to the store that the environment names in `SSDB`. */
  static async connect({ suffix, env = process.env }: ConnectOptions = {}): Promise<Client> {
    const settings = readSettings(env, suffix);
    const address = settings.addresses[Math.floor(Math.random() * settings.addresses.length)] as StoreAddress;
    const connection = await Connection.open(address, settings);
    try {
      const clustered = settings.clustered && !('path' in address) && (await isCluster(connection));
      const names = new KeyNames(settings.sources, settings.keyOut, clustered);
      return new Client(connection, names, settings.modelTimeoutMs);
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** Stores a tensor. Its array must stay as it is until the promise settles. */
  async putTensor(name: string, value: Tensor): Promise<void> {
    checkTensor(value);
    const shape = value.shape.map(String);
    const key = this.#names.written('tensor', name);
    await this.#connection.send('AI.TENSORSET', key, value.dtype, ...shape, 'BLOB', bytesOf(value));
  }

  /** Reads a tensor; with a type it must be of that type. */
  async getTensor(name: string): Promise<Tensor>;
  async getTensor<D extends Dtype>(name: string, dtype: D): Promise<TensorOf<D>>;
  async getTensor(name: string, dtype?: Dtype): Promise<Tensor> {
    const key = this.#names.read('tensor', name);
    const value = tensorOfReply(await this.#connection.send('AI.TENSORGET', key, 'META', 'BLOB'));
    if (dtype !== undefined && value.dtype !== dtype) {
      throw new ClientError(`the tensor '${name}' has the type ${value.dtype}, not ${dtype}`);
    }
    return value;
  }

  /** Deletes a tensor; one that is not there is no error. */
  async deleteTensor(name: string): Promise<void> {
    await this.#connection.send('DEL', this.#names.read('tensor', name));
  }

  /** Renames a tensor; the new key gets the prefix that is written with. */
  async renameTensor(name: string, newName: string): Promise<void> {
    await this.#connection.send('RENAME', this.#names.read('tensor', name), this.#names.written('tensor', newName));
  }

  /** Copies a tensor by way of this client. */
  async copyTensor(name: string, copyName: string): Promise<void> {
    await this.putTensor(copyName, await this.getTensor(name));
  }

  async tensorExists(name: string): Promise<boolean> {
    return this.keyExists(this.#names.read('tensor', name));
  }

  /** Whether the literal key exists. */
  async keyExists(key: string): Promise<boolean> {
    return (await this.#connection.send('EXISTS', key)) === 1;
  }

  /** Waits for a tensor; false if it did not come. */
  async pollTensor(name: string, options: PollOptions): Promise<boolean> {
    return this.pollKey(this.#names.read('tensor', name), options);
  }

  /** Waits for a literal key; false if it did not come. */
  async pollKey(key: string, { intervalMs, attempts }: PollOptions): Promise<boolean> {
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      if (await this.keyExists(key)) return true;
      if (attempt < attempts) await sleep(intervalMs);
    }
    return false;
  }

  /** Stores a model. */
  async setModel(name: string, options: ModelOptions): Promise<void> {
    await this.#storeModel(this.#names.written('model', name), options, await this.#chunkBytes());
  }

  /** Stores a model once a GPU, under `NAME.GPU:i`, and once under its own name on `GPU`. */
  async setModelMultiGpu(name: string, options: MultiGpuModelOptions): Promise<void> {
    const key = this.#names.written('model', name);
    const chunkBytes = await this.#chunkBytes();
    for (const gpu of gpuNumbers(options)) {
      await this.#storeModel(`${key}.GPU:${gpu}`, { ...options, device: `GPU:${gpu}` }, chunkBytes);
    }
    await this.#storeModel(key, { ...options, device: 'GPU' }, chunkBytes);
  }

  /** A model's bytes. */
  async getModel(name: string): Promise<Buffer> {
    const reply = await this.#connection.send('AI.MODELGET', this.#names.read('model', name), 'BLOB');
    if (Array.isArray(reply)) return Buffer.concat(reply as Buffer[]);
    if (!Buffer.isBuffer(reply)) throw new ClientError('the server did not answer with a model');
    return reply;
  }

  /** Runs a model in the store: tensors in, tensors out, in the model's own order. */
  async runModel(name: string, inputs: Names, outputs: Names): Promise<void> {
    await this.#run(this.#names.read('model', name), inputs, outputs);
  }

  /** Runs the copy of a model on GPU `firstGpu + offset % gpus`. */
  async runModelMultiGpu(
    name: string,
    inputs: Names,
    outputs: Names,
    { offset, firstGpu, gpus }: { readonly offset: number; readonly firstGpu: number; readonly gpus: number },
  ): Promise<void> {
    const numbers = gpuNumbers({ firstGpu, gpus });
    await this.#run(`${this.#names.read('model', name)}.GPU:${numbers[offset % gpus]}`, inputs, outputs);
  }

  async modelExists(name: string): Promise<boolean> {
    return this.keyExists(this.#names.read('model', name));
  }

  /** Waits for a model; false if it did not come. */
  async pollModel(name: string, options: PollOptions): Promise<boolean> {
    return this.pollKey(this.#names.read('model', name), options);
  }

  async deleteModel(name: string): Promise<void> {
    await this.#connection.send('AI.MODELDEL', this.#names.read('model', name));
  }

  /** Deletes what {@link Client.setModelMultiGpu} stored. */
  async deleteModelMultiGpu(name: string, gpus: { readonly firstGpu: number; readonly gpus: number }): Promise<void> {
    const key = this.#names.read('model', name);
    for (const gpu of gpuNumbers(gpus)) await this.#connection.send('AI.MODELDEL', `${key}.GPU:${gpu}`);
    await this.#connection.send('AI.MODELDEL', key);
  }

  /** Reads from the entity of that name from now on; it must be one of `SSKEYIN`. */
  setDataSource(name: string): void {
    this.#names.setSource(name);
  }

  /** Whether tensor names carry prefixes; they do unless told otherwise. */
  useTensorPrefix(on: boolean): void {
    this.#names.usePrefix('tensor', on);
  }

  /** Whether model names carry prefixes; they do not unless told otherwise. */
  useModelPrefix(on: boolean): void {
    this.#names.usePrefix('model', on);
  }

  /** Whether data set names carry prefixes; they do unless told otherwise. */
  useDatasetPrefix(on: boolean): void {
    this.#names.usePrefix('dataset', on);
  }

  /** Whether list names carry prefixes; they do unless told otherwise. */
  useListPrefix(on: boolean): void {
    this.#names.usePrefix('list', on);
  }

  /** What the store says of itself: `info.Memory.used_memory`. */
  async info(): Promise<Readonly<Record<string, Readonly<Record<string, string>>>>> {
    return infoOf(String(await this.#connection.send('INFO', 'EVERYTHING')));
  }

  /** Ends the connection once pending calls are answered. */
  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #storeModel(key: string, options: ModelOptions, chunkBytes: number): Promise<void> {
    await this.#connection.send(...modelStoreWords(key, options, chunkBytes));
  }

  async #run(modelKey: string, inputs: Names, outputs: Names): Promise<void> {
    const from = [inputs].flat().map((name) => this.#names.read('tensor', name));
    const to = [outputs].flat().map((name) => this.#names.written('tensor', name));
    await this.#connection.send(
      'AI.MODELEXECUTE',
      modelKey,
      'INPUTS',
      String(from.length),
      ...from,
      'OUTPUTS',
      String(to.length),
      ...to,
      'TIMEOUT',
      String(this.#modelTimeoutMs),
    );
  }

  async #chunkBytes(): Promise<number> {
    const reply = Number(await this.#connection.send('AI.CONFIG', 'GET', 'MODEL_CHUNK_SIZE'));
    if (!Number.isSafeInteger(reply) || reply < 1) throw new ClientError('the server names no usable MODEL_CHUNK_SIZE');
    return reply;
  }
}

/** Whether the store is a cluster, of one shard: several are refused. */
async function isCluster(connection: Connection): Promise<boolean> {
  let slots: unknown;
  try {
    slots = await connection.send('CLUSTER', 'SLOTS');
  } catch {
    return false;
  }
  if (Array.isArray(slots) && slots.length > 1) {
    throw new ClientError(`the store is a cluster of ${slots.length} shards, which this client cannot address yet`);
  }
  return true;
}
