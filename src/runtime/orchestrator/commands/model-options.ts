import { type BackendName, backends } from '../../../ml/backends.js';
import type { BatchOptions } from '../inference/index.js';
import { CommandError } from './command.js';
import { integer, keyword } from './words.js';

const none: Buffer = Buffer.alloc(0);

/** Options between the device and `BLOB` in `AI.MODELSTORE`, and the index of the first word of bytes. */
export interface ModelOptions {
  readonly tag: Buffer;
  readonly batch: BatchOptions;
  readonly inputs: readonly Buffer[];
  readonly outputs: readonly Buffer[];
  readonly blobAt: number;
}

/** Reads the options, in their fixed order, from `words[4]` on. @throws CommandError with RedisAI's texts */
export function parseModelOptions(words: readonly Buffer[], backend: BackendName): ModelOptions {
  let at = 4;
  let tag: Buffer = none;
  if (keyword(words[at]) === 'TAG') {
    tag = words[at + 1] ?? none;
    at += 2;
  }
  const counts = { BATCHSIZE: 0, MINBATCHSIZE: 0, MINBATCHTIMEOUT: 0 };
  for (const option of ['BATCHSIZE', 'MINBATCHSIZE', 'MINBATCHTIMEOUT'] as const) {
    if (keyword(words[at]) !== option) continue;
    if (option === 'MINBATCHSIZE' && counts.BATCHSIZE === 0) {
      throw new CommandError('ERR MINBATCHSIZE specified without BATCHSIZE');
    }
    if (option === 'MINBATCHTIMEOUT' && counts.MINBATCHSIZE === 0) {
      throw new CommandError('ERR MINBATCHTIMEOUT specified without MINBATCHSIZE');
    }
    const value = integer(words[at + 1]);
    if (value === undefined || value < 0) throw new CommandError(`ERR Invalid argument for ${option}`);
    counts[option] = value;
    at += 2;
  }
  const { needsNames } = backends[backend];
  if (!needsNames && keyword(words[at]) === 'INPUTS') {
    throw new CommandError('ERR INPUTS argument should not be specified for this backend');
  }
  const inputs = needsNames ? namesAt(words, at, 'INPUTS', 'input') : [];
  if (needsNames) at += 2 + inputs.length;
  const outputs = needsNames ? namesAt(words, at, 'OUTPUTS', 'output') : [];
  if (needsNames) at += 2 + outputs.length;
  if (at >= words.length) throw new CommandError('ERR Insufficient arguments, missing model BLOB');
  if (keyword(words[at]) !== 'BLOB') throw new CommandError('ERR Invalid argument, expected BLOB');
  if (at + 1 >= words.length) throw new CommandError('ERR Insufficient arguments, missing model BLOB');
  const batch = {
    batchSize: counts.BATCHSIZE,
    minBatchSize: counts.MINBATCHSIZE,
    minBatchTimeoutMs: counts.MINBATCHTIMEOUT,
  };
  return { tag: Buffer.from(tag), batch, inputs, outputs, blobAt: at + 1 };
}

function namesAt(words: readonly Buffer[], at: number, section: string, noun: string): Buffer[] {
  if (keyword(words[at]) !== section) throw new CommandError(`ERR ${section} not specified for TF`);
  const count = integer(words[at + 1]);
  if (count === undefined || count < 0) throw new CommandError(`ERR Invalid argument for ${noun}_count`);
  if (at + 2 + count > words.length) {
    throw new CommandError(`ERR number of model ${noun}s does not match the number of given arguments`);
  }
  return words.slice(at + 2, at + 2 + count);
}
