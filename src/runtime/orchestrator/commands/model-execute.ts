import { runModel } from '../ai/run-program.js';
import type { TensorStore } from '../ai/tensor-store.js';
import type { ModelValue } from '../ai/values.js';
import { ok } from '../resp/reply.js';
import { type AiCommand, CommandError } from './command.js';
import { inputAt, modelAt } from './models.js';
import { integer, keyword, latin1 } from './words.js';

const name = 'AI.MODELEXECUTE';

/**
 * `AI.MODELEXECUTE key INPUTS n in… OUTPUTS m out… [TIMEOUT ms]`: input values are those of the moment; all outputs
 * appear at once. A request that waits longer than its TIMEOUT gets an error line: SmartRedis takes RedisAI's
 * `+TIMEDOUT` for success.
 */
export const modelExecute: AiCommand = {
  name: 'ai.modelexecute',
  arity: -2,
  flags: ['write', 'denyoom'],
  keys: [1, 1, 1],
  inTransaction: 'execution',
  mayNest: true,
  run(context, words) {
    const { model, request } = parseModelExecute(context.tensors, words);
    const { outputs, timeoutMs } = request;
    const inputs = request.inputs.map((key) => inputAt(context.tensors, key));
    return runModel(context, { model, inputs, outputs, timeoutMs }).then(() => ok);
  },
};

/** Arguments of a request, without its model's key. */
export interface ExecuteRequest {
  readonly inputs: readonly Buffer[];
  readonly outputs: readonly string[];
  readonly timeoutMs: number | undefined;
}

/** The model at its key and the arguments of its run. @throws CommandError with RedisAI's texts, WrongTypeError */
export function parseModelExecute(
  tensors: TensorStore,
  words: readonly Buffer[],
): { readonly model: ModelValue; readonly request: ExecuteRequest } {
  if (words.length < 8) throw new CommandError(`ERR wrong number of arguments for '${name}' command`);
  const model = modelAt(tensors, words[1]);
  return { model, request: parse(words, model) };
}

function parse(words: readonly Buffer[], model: ModelValue): ExecuteRequest {
  const inputs = section(words, 2, 'INPUTS', 'input', model.loaded.inputs.length);
  const outputsAt = 4 + inputs.length;
  const { loaded } = model;
  const expected = loaded.anyOutputs ? undefined : loaded.outputs.length;
  const outputs = section(words, outputsAt, 'OUTPUTS', 'output', expected).map(latin1);
  const at = outputsAt + 2 + outputs.length;
  if (at >= words.length) return { inputs, outputs, timeoutMs: undefined };
  if (keyword(words[at]) !== 'TIMEOUT') throw new CommandError(`Invalid argument: ${latin1(words[at])}`);
  if (at + 1 >= words.length) throw new CommandError('ERR No value provided for TIMEOUT');
  const timeoutMs = integer(words[at + 1]);
  if (timeoutMs === undefined || timeoutMs <= 0) throw new CommandError('ERR Invalid value for TIMEOUT');
  if (at + 2 < words.length) throw new CommandError(`Invalid argument: ${latin1(words[at + 2])}`);
  return { inputs, outputs, timeoutMs };
}

function section(
  words: readonly Buffer[],
  at: number,
  title: 'INPUTS' | 'OUTPUTS',
  noun: 'input' | 'output',
  /** Undefined if any number is right. */
  expected: number | undefined,
): readonly Buffer[] {
  if (keyword(words[at]) !== title) throw new CommandError(`ERR ${title} not specified`);
  const count = integer(words[at + 1]);
  if (count === undefined) throw new CommandError(`ERR Invalid argument for ${noun}_count`);
  if (count <= 0) {
    throw new CommandError(`ERR ${noun === 'input' ? 'Input' : 'Output'} count must be a positive integer`);
  }
  if (expected !== undefined && count !== expected) {
    throw new CommandError(`Number of keys given as ${title} here does not match model definition`);
  }
  if (at + 2 + count > words.length) {
    throw new CommandError(
      `ERR number of ${noun} keys to ${name} command does not match the number of given arguments`,
    );
  }
  return words.slice(at + 2, at + 2 + count);
}
