import { plainName } from '../ai/plain-name.js';
import type { TensorStore } from '../ai/tensor-store.js';
import type { ModelValue, TensorValue } from '../ai/values.js';
import { CommandError } from './command.js';
import { latin1 } from './words.js';

/** The model at a key. @throws CommandError, WrongTypeError */
export function modelAt(tensors: TensorStore, key: Buffer | undefined): ModelValue {
  const model = tensors.read(latin1(key), 'model');
  if (model !== undefined) return model;
  const name = plainName(latin1(key));
  // RedisAI's own text, and what is likely wrong with the copies that SmartRedis makes for several GPUs.
  const copies = name.replace(/\.GPU:\d+$/, '');
  const hint =
    copies !== name && tensors.get(copies)?.kind === 'model'
      ? ` (there is '${copies}', but no copy of it for this GPU)`
      : '';
  throw new CommandError(`ERR model key is empty${hint}`);
}

/** The tensor that a run takes as an input. @throws CommandError, WrongTypeError */
export function inputAt(tensors: TensorStore, key: Buffer | undefined): TensorValue {
  const tensor = tensors.read(latin1(key), 'tensor');
  if (tensor === undefined) throw new CommandError('ERR tensor key is empty or in a different shard');
  return tensor;
}
