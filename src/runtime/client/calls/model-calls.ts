import { ClientError } from '../client-error.js';
import type { KeyNames } from '../key-names.js';
import { gpuNumbers, type ModelOptions, type MultiGpuModelOptions, modelStoreWords } from '../model.js';
import type { Shard, Shards } from '../shards.js';
import { DatasetCalls } from './dataset-calls.js';
import type { PollOptions } from './tensor-calls.js';

/** Inputs and outputs of one run. */
export type Names = string | readonly string[];

/** GPUs by their numbers. */
export interface Gpus {
  readonly firstGpu: number;
  readonly gpus: number;
}

/** Calls about models and scripts: in a cluster there is a copy of each on every shard. */
export abstract class ModelCalls extends DatasetCalls {
  readonly #modelTimeoutMs: number;
  #chunkBytes: number | undefined;

  protected constructor(shards: Shards, names: KeyNames, modelTimeoutMs: number) {
    super(shards, names);
    this.#modelTimeoutMs = modelTimeoutMs;
  }

  /** Stores a model. */
  async setModel(name: string, options: ModelOptions): Promise<void> {
    await this.#storeModel(this.names.written('model', name), options, await this.#modelChunkBytes());
  }

  /** Stores a model once a GPU, under `NAME.GPU:i`, and once under its own name on `GPU`. */
  async setModelMultiGpu(name: string, options: MultiGpuModelOptions): Promise<void> {
    const key = this.names.written('model', name);
    const chunkBytes = await this.#modelChunkBytes();
    for (const gpu of gpuNumbers(options)) {
      await this.#storeModel(`${key}.GPU:${gpu}`, { ...options, device: `GPU:${gpu}` }, chunkBytes);
    }
    await this.#storeModel(key, { ...options, device: 'GPU' }, chunkBytes);
  }

  /** Models go in chunks of so many bytes from now on; told to the store, too. */
  async setModelChunkSize(bytes: number): Promise<void> {
    if (!Number.isSafeInteger(bytes) || bytes < 1) throw new ClientError(`${bytes} is no chunk size`);
    for (const shard of this.shards.all) await shard.send('AI.CONFIG', 'MODEL_CHUNK_SIZE', String(bytes));
    this.#chunkBytes = bytes;
  }

  /** A model's bytes. */
  async getModel(name: string): Promise<Buffer> {
    const shard = this.shards.first;
    const reply = await shard.send('AI.MODELGET', shard.modelKey(this.names.read('model', name)), 'BLOB');
    if (Array.isArray(reply)) return Buffer.concat(reply as Buffer[]);
    if (!Buffer.isBuffer(reply)) throw new ClientError('the server did not answer with a model');
    return reply;
  }

  /** Runs a model in the store: tensors in, tensors out, in the model's own order. */
  async runModel(name: string, inputs: Names, outputs: Names): Promise<void> {
    await this.#runModel(this.names.read('model', name), inputs, outputs);
  }

  /** Runs the copy of a model on GPU `firstGpu + offset % gpus`. */
  async runModelMultiGpu(
    name: string,
    inputs: Names,
    outputs: Names,
    place: Gpus & { readonly offset: number },
  ): Promise<void> {
    await this.#runModel(onGpu(this.names.read('model', name), place), inputs, outputs);
  }

  /** Whether there is a model or script of that name. */
  async modelExists(name: string): Promise<boolean> {
    const shard = this.shards.first;
    return (await shard.send('EXISTS', shard.modelKey(this.names.read('model', name)))) === 1;
  }

  /** Waits for a model or script; false if it did not come. */
  async pollModel(name: string, options: PollOptions): Promise<boolean> {
    return this.poll(() => this.modelExists(name), options);
  }

  async deleteModel(name: string): Promise<void> {
    await this.#onEveryShard('AI.MODELDEL', this.names.read('model', name));
  }

  /** Deletes what {@link ModelCalls.setModelMultiGpu} stored. */
  async deleteModelMultiGpu(name: string, gpus: Gpus): Promise<void> {
    const key = this.names.read('model', name);
    for (const gpu of gpuNumbers(gpus)) await this.#onEveryShard('AI.MODELDEL', `${key}.GPU:${gpu}`);
    await this.#onEveryShard('AI.MODELDEL', key);
  }

  /** Stores a TorchScript source. `device` is `CPU`, `GPU`, or either with a number. */
  async setScript(name: string, device: string, source: string): Promise<void> {
    await this.#onEveryShard('AI.SCRIPTSET', this.names.written('model', name), device, 'SOURCE', source);
  }

  /** Stores a script once a GPU, under `NAME.GPU:i`, and once under its own name on `GPU`. */
  async setScriptMultiGpu(name: string, source: string, gpus: Gpus): Promise<void> {
    const key = this.names.written('model', name);
    for (const gpu of gpuNumbers(gpus)) {
      await this.#onEveryShard('AI.SCRIPTSET', `${key}.GPU:${gpu}`, `GPU:${gpu}`, 'SOURCE', source);
    }
    await this.#onEveryShard('AI.SCRIPTSET', key, 'GPU', 'SOURCE', source);
  }

  /** A script's source. */
  async getScript(name: string): Promise<string> {
    const shard = this.shards.first;
    return String(await shard.send('AI.SCRIPTGET', shard.modelKey(this.names.read('model', name)), 'SOURCE'));
  }

  /** Runs a function of a script in the store: tensors in, tensors out. */
  async runScript(name: string, functionName: string, inputs: Names, outputs: Names): Promise<void> {
    await this.#runScript(this.names.read('model', name), functionName, inputs, outputs);
  }

  /** Runs a function of the copy of a script on GPU `firstGpu + offset % gpus`. */
  async runScriptMultiGpu(
    name: string,
    functionName: string,
    inputs: Names,
    outputs: Names,
    place: Gpus & { readonly offset: number },
  ): Promise<void> {
    await this.#runScript(onGpu(this.names.read('model', name), place), functionName, inputs, outputs);
  }

  async deleteScript(name: string): Promise<void> {
    await this.#onEveryShard('AI.SCRIPTDEL', this.names.read('model', name));
  }

  /** Deletes what {@link ModelCalls.setScriptMultiGpu} stored. */
  async deleteScriptMultiGpu(name: string, gpus: Gpus): Promise<void> {
    const key = this.names.read('model', name);
    for (const gpu of gpuNumbers(gpus)) await this.#onEveryShard('AI.SCRIPTDEL', `${key}.GPU:${gpu}`);
    await this.#onEveryShard('AI.SCRIPTDEL', key);
  }

  async #runModel(key: string, inputs: Names, outputs: Names): Promise<void> {
    const timeout = ['TIMEOUT', String(this.#modelTimeoutMs)];
    await this.#run(inputs, outputs, (shard, from, to) =>
      shard.send(
        'AI.MODELEXECUTE',
        shard.modelKey(key),
        'INPUTS',
        String(from.length),
        ...from,
        'OUTPUTS',
        String(to.length),
        ...to,
        ...timeout,
      ),
    );
  }

  async #runScript(key: string, functionName: string, inputs: Names, outputs: Names): Promise<void> {
    await this.#run(inputs, outputs, (shard, from, to) =>
      shard.send('AI.SCRIPTRUN', shard.modelKey(key), functionName, 'INPUTS', ...from, 'OUTPUTS', ...to),
    );
  }

  /** With several shards the tensors are brought to the shard of the first input, and the results to where they belong. */
  async #run(
    inputs: Names,
    outputs: Names,
    run: (shard: Shard, from: readonly (string | Buffer)[], to: readonly (string | Buffer)[]) => Promise<unknown>,
  ): Promise<void> {
    const from = [inputs].flat().map((name) => this.names.read('tensor', name));
    const to = [outputs].flat().map((name) => this.names.written('tensor', name));
    const shard = this.shards.of(from[0] ?? '');
    if (!this.shards.several) {
      await run(shard, from, to);
      return;
    }
    const here = (key: string): Buffer => shard.keyHere(`${key}.TMP`);
    try {
      for (const key of from) await this.storeTensor(here(key), await this.fetchTensor(key));
      await run(shard, from.map(here), to.map(here));
      for (const key of to) await this.storeTensor(key, await this.fetchTensor(here(key)));
    } finally {
      await shard.send('DEL', ...to.map(here), ...from.map(here));
    }
  }

  async #storeModel(key: string, options: ModelOptions, chunkBytes: number): Promise<void> {
    for (const shard of this.shards.all) {
      await shard.send(...modelStoreWords(shard.modelKey(key), options, chunkBytes));
    }
  }

  async #onEveryShard(command: string, key: string, ...words: string[]): Promise<void> {
    for (const shard of this.shards.all) await shard.send(command, shard.modelKey(key), ...words);
  }

  async #modelChunkBytes(): Promise<number> {
    if (this.#chunkBytes !== undefined) return this.#chunkBytes;
    const reply = Number(await this.shards.first.send('AI.CONFIG', 'GET', 'MODEL_CHUNK_SIZE'));
    if (!Number.isSafeInteger(reply) || reply < 1) throw new ClientError('the server names no usable MODEL_CHUNK_SIZE');
    return reply;
  }
}

function onGpu(key: string, { offset, ...gpus }: Gpus & { readonly offset: number }): string {
  const numbers = gpuNumbers(gpus);
  return `${key}.GPU:${numbers[offset % numbers.length]}`;
}
