import { parseDevice } from '../inference/index.js';
import { ok } from '../resp/reply.js';
import { gather } from '../store/gather.js';
import { LendableBytes } from '../store/lendable-bytes.js';
import { newStatistics } from '../store/values.js';
import { type Command, CommandError } from './command.js';
import { parseModelOptions } from './model-options.js';
import { keyword, latin1 } from './words.js';

const backends: ReadonlySet<string> = new Set(['TF', 'TFLITE', 'TORCH', 'ONNX']);

/**
 * `AI.MODELSTORE key backend device [TAG t] [BATCHSIZE n [MINBATCHSIZE m [MINBATCHTIMEOUT ms]]] [INPUTS …] [OUTPUTS …]
 * BLOB chunk…`: replaces what model is there once the new one has been loaded.
 */
export const modelStore: Command = {
  name: 'ai.modelstore',
  arity: -6,
  flags: ['write', 'denyoom'],
  keys: [1, 1, 1],
  async run({ store, inference }, words) {
    const key = latin1(words[1]);
    const backend = keyword(words[2]);
    if (!backends.has(backend)) throw new CommandError('ERR unsupported backend');
    const device = parseDevice(latin1(words[3]));
    if (device === undefined) throw new CommandError('ERR Invalid DEVICE');
    const options = parseModelOptions(words, backend);
    store.read(key, 'model');
    const bytes = new LendableBytes(await gather(words.slice(options.blobAt)));
    const loaded = await inference.load({ backend, device, bytes });
    try {
      store.read(key, 'model');
    } catch (error) {
      inference.unload(loaded);
      throw error;
    }
    store.set(key, {
      kind: 'model',
      backend,
      device: latin1(words[3]),
      tag: options.tag,
      batch: options.batch,
      bytes,
      loaded,
      statistics: newStatistics(),
    });
    return ok;
  },
};
