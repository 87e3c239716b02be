import { newStatistics } from '../ai/values.js';
import { ok } from '../resp/reply.js';
import { type AiCommand, CommandError } from './command.js';
import { keyword, latin1 } from './words.js';
import { workerText } from './worker-facts.js';

/** `AI.INFO key [RESETSTAT]` */
export const aiInfo: AiCommand = {
  name: 'ai.info',
  arity: -2,
  flags: ['readonly'],
  keys: [1, 1, 1],
  run({ tensors, inference }, words) {
    const value = tensors.get(latin1(words[1]));
    if (value?.kind !== 'model' && value?.kind !== 'script') {
      throw new CommandError('ERR cannot find run info for key');
    }
    if (keyword(words[2]) === 'RESETSTAT') {
      Object.assign(value.statistics, newStatistics());
      return ok;
    }
    const texts = value.kind === 'model' ? inference.workersOf(value.loaded).map(workerText) : [];
    // RedisAI has no such field, and models on the store's own threads have none.
    const workers = texts.length === 0 ? [] : ['worker', texts.join(';')];
    const { durationMicros, samples, calls, errors } = value.statistics;
    return [
      'key',
      Buffer.from(words[1] as Buffer),
      'type',
      value.kind === 'model' ? 'MODEL' : 'SCRIPT',
      'backend',
      value.kind === 'model' ? value.backend : 'TORCH',
      'device',
      value.device,
      'tag',
      value.tag,
      'duration',
      durationMicros,
      'samples',
      value.kind === 'model' ? samples : -1,
      'calls',
      calls,
      'errors',
      errors,
      ...workers,
    ];
  },
};
