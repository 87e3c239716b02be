import { parseDevice } from '../inference/index.js';
import { ok } from '../resp/reply.js';
import { areEqual, gather } from '../store/gather.js';
import { type Keyspace, plainName } from '../store/keyspace.js';
import { LendableBytes } from '../store/lendable-bytes.js';
import { newStatistics } from '../store/values.js';
import { type Command, type CommandContext, CommandError } from './command.js';
import { type ModelOptions, parseModelOptions } from './model-options.js';
import { keyword, latin1 } from './words.js';

const backends: ReadonlySet<string> = new Set(['TF', 'TFLITE', 'TORCH', 'ONNX']);

/** Stores under way, by store and key: of several to one key the second begins when the first has ended. */
const underWay = new WeakMap<Keyspace, Map<string, Promise<unknown>>>();

/**
 * `AI.MODELSTORE key backend device [TAG t] [BATCHSIZE n [MINBATCHSIZE m [MINBATCHTIMEOUT ms]]] [INPUTS …] [OUTPUTS …]
 * BLOB chunk…`: replaces what model is there once the new one has been loaded. What is there already, byte for byte,
 * is not loaded again: clients that did not wait for the answer send the same once more.
 */
export const modelStore: Command = {
  name: 'ai.modelstore',
  arity: -6,
  flags: ['write', 'denyoom'],
  keys: [1, 1, 1],
  mayNest: true,
  keepsWords: true,
  run(context, words) {
    const { store } = context;
    const key = latin1(words[1]);
    const backend = keyword(words[2]);
    if (!backends.has(backend)) throw new CommandError('ERR unsupported backend');
    const device = parseDevice(latin1(words[3]));
    if (device === undefined) throw new CommandError('ERR Invalid DEVICE');
    const options = parseModelOptions(words, backend);
    store.read(key, 'model');
    return inTurn(store, plainName(key), async () => {
      const request = { key, backend, device, deviceWord: latin1(words[3]), options };
      const bytes = await gather(words.slice(options.blobAt));
      if (!(await isThere(store, request, bytes))) await load(context, request, bytes);
      return ok;
    });
  },
};

interface StoreRequest {
  readonly key: string;
  readonly backend: string;
  readonly device: string;
  /** As the client wrote it. */
  readonly deviceWord: string;
  readonly options: ModelOptions;
}

async function load({ store, inference }: CommandContext, request: StoreRequest, blob: Buffer): Promise<void> {
  const { key, backend, device, deviceWord, options } = request;
  store.read(key, 'model');
  const bytes = new LendableBytes(blob);
  const loaded = await inference.load({ backend, device, batch: options.batch, bytes });
  try {
    store.read(key, 'model');
  } catch (error) {
    inference.unload(loaded);
    throw error;
  }
  store.set(key, {
    kind: 'model',
    backend,
    device: deviceWord,
    tag: options.tag,
    batch: options.batch,
    bytes,
    loaded,
    statistics: newStatistics(),
  });
}

/** Whether the key holds this very model; its statistics begin anew then, as they do when it is replaced. */
async function isThere(store: Keyspace, request: StoreRequest, blob: Buffer): Promise<boolean> {
  const { key, backend, deviceWord, options } = request;
  const model = store.read(key, 'model');
  if (model === undefined || model.backend !== backend || model.device !== deviceWord) return false;
  const { batchSize, minBatchSize, minBatchTimeoutMs } = options.batch;
  const sameOptions =
    model.tag.equals(options.tag) &&
    model.batch.batchSize === batchSize &&
    model.batch.minBatchSize === minBatchSize &&
    model.batch.minBatchTimeoutMs === minBatchTimeoutMs;
  if (!sameOptions || model.bytes.byteLength !== blob.length) return false;
  const same = await model.bytes.read((bytes) => {
    const release = model.bytes.pin();
    return areEqual(bytes, blob).finally(release);
  });
  if (!same || store.get(key) !== model) return false;
  Object.assign(model.statistics, newStatistics());
  return true;
}

async function inTurn<Result>(store: Keyspace, key: string, work: () => Promise<Result>): Promise<Result> {
  let works = underWay.get(store);
  if (works === undefined) {
    works = new Map();
    underWay.set(store, works);
  }
  const before = works.get(key);
  const own = before === undefined ? work() : before.then(work, work);
  works.set(key, own);
  try {
    return await own;
  } finally {
    if (works.get(key) === own) works.delete(key);
  }
}
