import { asBackend, type BackendName, backends } from '../../../ml/backends.js';
import { parseDevice } from '../../../ml/devices.js';
import { plainName } from '../ai/plain-name.js';
import type { TensorStore } from '../ai/tensor-store.js';
import { newStatistics } from '../ai/values.js';
import { areEqual, gather } from '../bytes/gather.js';
import { LendableBytes } from '../bytes/lendable-bytes.js';
import { ok } from '../resp/reply.js';
import { type AiCommand, type AiCommandContext, CommandError, type Prepared } from './command.js';
import { inTurn } from './in-turn.js';
import { type ModelOptions, parseModelOptions } from './model-options.js';
import { keyword, latin1 } from './words.js';

/**
 * `AI.MODELSTORE key backend device [TAG t] [BATCHSIZE n [MINBATCHSIZE m [MINBATCHTIMEOUT ms]]] [INPUTS …] [OUTPUTS …]
 * BLOB chunk…`: replaces what model is there once the new one has been loaded. What is there already, byte for byte,
 * is not loaded again: clients that did not wait for the answer send the same once more.
 */
export const modelStore: AiCommand = {
  name: 'ai.modelstore',
  arity: -6,
  flags: ['write', 'denyoom'],
  keys: [1, 1, 1],
  mayNest: true,
  keepsWords: true,
  run(context, words) {
    const { tensors } = context;
    const request = parse(context, words);
    return inTurn(tensors, plainName(request.key), async () => {
      const bytes = await gather(words.slice(request.options.blobAt));
      if (!(await isThere(tensors, request, bytes))) (await load(context, request, bytes)).commit();
      return ok;
    });
  },
  async prepare(context, words) {
    const request = parse(context, words);
    return load(context, request, await gather(words.slice(request.options.blobAt)));
  },
};

function parse({ tensors }: AiCommandContext, words: readonly Buffer[]): StoreRequest {
  const key = latin1(words[1]);
  const backend = asBackend(keyword(words[2]));
  if (backend === undefined) throw new CommandError('ERR unsupported backend');
  const deviceWord = latin1(words[3]);
  const device = parseDevice(deviceWord);
  if (device === undefined) throw new CommandError('ERR Invalid DEVICE');
  const options = parseModelOptions(words, backend);
  tensors.read(key, 'model');
  return { key, backend, device, deviceWord, options };
}

interface StoreRequest {
  readonly key: string;
  readonly backend: BackendName;
  readonly device: string;
  /** As the client wrote it. */
  readonly deviceWord: string;
  readonly options: ModelOptions;
}

/** Loads the model, which remains to be put at its key. */
async function load({ tensors, inference }: AiCommandContext, request: StoreRequest, blob: Buffer): Promise<Prepared> {
  const { key, backend, device, deviceWord, options } = request;
  tensors.read(key, 'model');
  const bytes = new LendableBytes(blob);
  const { batch, inputs, outputs } = options;
  const names = backends[backend].needsNames && { inputs: inputs.map(latin1), outputs: outputs.map(latin1) };
  const loaded = await inference.load({ backend, device, batch, ...names, bytes });
  const drop = (): void => inference.unload(loaded);
  return {
    drop,
    commit() {
      try {
        tensors.read(key, 'model');
      } catch (error) {
        drop();
        throw error;
      }
      const { tag } = options;
      const statistics = newStatistics();
      tensors.set(key, { kind: 'model', backend, device: deviceWord, tag, batch, bytes, loaded, statistics });
      return ok;
    },
  };
}

/** True if the key holds this very model; its statistics begin anew then, as they do when it is replaced. */
async function isThere(tensors: TensorStore, request: StoreRequest, blob: Buffer): Promise<boolean> {
  const { key, backend, deviceWord, options } = request;
  const model = tensors.read(key, 'model');
  if (model === undefined || model.backend !== backend || model.device !== deviceWord) return false;
  const { batchSize, minBatchSize, minBatchTimeoutMs } = options.batch;
  const sameOptions =
    model.tag.equals(options.tag) &&
    model.batch.batchSize === batchSize &&
    model.batch.minBatchSize === minBatchSize &&
    model.batch.minBatchTimeoutMs === minBatchTimeoutMs &&
    (!backends[backend].needsNames ||
      (areSame(model.loaded.inputs, options.inputs) && areSame(model.loaded.outputs, options.outputs)));
  if (!sameOptions || model.bytes.byteLength !== blob.length) return false;
  const same = await model.bytes.read((bytes) => {
    const release = model.bytes.pin();
    return areEqual(bytes, blob).finally(release);
  });
  if (!same || tensors.get(key) !== model) return false;
  Object.assign(model.statistics, newStatistics());
  return true;
}

function areSame(names: readonly string[], words: readonly Buffer[]): boolean {
  return names.length === words.length && words.every((word, index) => latin1(word) === names[index]);
}
