import type { ModelValue } from '../ai/values.js';
import type { Reply } from '../resp/reply.js';
import { bytesReply } from './bytes-reply.js';
import type { AiCommand } from './command.js';
import { modelAt } from './models.js';
import { keyword } from './words.js';

/**
 * `AI.MODELGET key [META] [BLOB]`. The bytes are one bulk string whatever the chunk size says: SmartRedis puts chunks
 * together wrongly.
 */
export const modelGet: AiCommand = {
  name: 'ai.modelget',
  arity: -2,
  flags: ['readonly'],
  keys: [1, 1, 1],
  run({ tensors }, words) {
    const model = modelAt(tensors, words[1]);
    const asked = words.slice(2).map(keyword);
    const meta = asked.includes('META');
    const blob = asked.includes('BLOB');
    if (meta && !blob) return metaReply(model);
    return model.bytes.read((bytes): Reply => {
      const content = bytesReply(model.bytes, bytes);
      return blob && !meta ? content : [...metaReply(model), 'blob', content];
    });
  },
};

function metaReply({ backend, device, tag, batch, loaded }: ModelValue): Reply[] {
  return [
    'backend',
    backend,
    'device',
    device,
    'tag',
    tag,
    'batchsize',
    batch.batchSize,
    'minbatchsize',
    batch.minBatchSize,
    'inputs',
    loaded.inputs,
    'outputs',
    loaded.outputs,
    'minbatchtimeout',
    batch.minBatchTimeoutMs,
  ];
}
