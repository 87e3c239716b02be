import { asBackend, backends } from '../../../ml/backends.js';
import { type AiCommand, CommandError } from './command.js';
import { modelStore } from './model-store.js';
import { keyword, latin1 } from './words.js';

const optionNames = ['TAG', 'BATCHSIZE', 'MINBATCHSIZE', 'MINBATCHTIMEOUT'] as const;
const noDevices: ReadonlySet<string> = new Set([...optionNames, 'INPUTS', 'OUTPUTS', 'BLOB']);

/**
 * `AI.MODELSET key backend device [TAG t] [BATCHSIZE …] [INPUTS name… OUTPUTS name…] BLOB chunk…`, deprecated: names
 * come without their number, and are ignored where the backend takes them from the model.
 */
export const modelSet: AiCommand = {
  name: 'ai.modelset',
  arity: -4,
  flags: ['write', 'denyoom'],
  keys: [1, 1, 1],
  mayNest: true,
  keepsWords: true,
  run: (context, words) => modelStore.run(context, asModelStore(words)),
  prepare: (context, words) => modelStore.prepare?.(context, asModelStore(words)),
};

/** The same as words of `AI.MODELSTORE`. @throws CommandError with RedisAI's texts */
function asModelStore(words: readonly Buffer[]): Buffer[] {
  const backend = asBackend(keyword(words[2]));
  if (backend === undefined) throw new CommandError('ERR unsupported backend');
  const device = latin1(words[3]);
  if (device.length > 10 || noDevices.has(device.toUpperCase())) {
    throw new CommandError('ERR Invalid DEVICE');
  }
  let at = 4;
  for (const option of optionNames) if (keyword(words[at]) === option) at += 2;
  const given = new Set(words.slice(4, at).map(keyword));
  const { batches, needsNames } = backends[backend];
  if (given.has('BATCHSIZE') && !batches) {
    throw new CommandError(`ERR Auto-batching not supported by the ${backend} backend`);
  }
  if (given.has('MINBATCHTIMEOUT') && !given.has('BATCHSIZE')) {
    throw new CommandError('ERR MINBATCHTIMEOUT specified without BATCHSIZE');
  }
  const blobAt = words.findIndex((word, index) => index >= at && word.length === 4 && keyword(word) === 'BLOB');
  if (at >= words.length || (blobAt === -1 && !needsNames)) throw noBlob();
  const names = needsNames ? counted(words.slice(at, blobAt === -1 ? words.length : blobAt)) : [];
  if (blobAt === -1) throw noBlob();
  return [...words.slice(0, at), ...names, ...words.slice(blobAt)];
}

function noBlob(): CommandError {
  return new CommandError('ERR Insufficient arguments, missing model BLOB');
}

/** The sections of names with their numbers, as `AI.MODELSTORE` takes them. */
function counted(words: readonly Buffer[]): Buffer[] {
  if (words.length === 0) throw new CommandError('ERR Insufficient arguments, INPUTS and OUTPUTS not specified');
  if (keyword(words[0]) !== 'INPUTS') throw new CommandError('ERR INPUTS not specified');
  const outputsAt = words.findIndex((word) => keyword(word) === 'OUTPUTS');
  if (outputsAt === -1) throw new CommandError('ERR OUTPUTS not specified');
  const section = (title: string, names: readonly Buffer[]): Buffer[] => [
    Buffer.from(title),
    Buffer.from(String(names.length)),
    ...names,
  ];
  return [...section('INPUTS', words.slice(1, outputsAt)), ...section('OUTPUTS', words.slice(outputsAt + 1))];
}
