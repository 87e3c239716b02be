import type { TensorStore } from '../ai/tensor-store.js';
import { type AiCommand, CommandError } from './command.js';
import { modelExecute } from './model-execute.js';
import { modelAt } from './models.js';
import { integer, keyword } from './words.js';

/** `AI.MODELRUN key [TIMEOUT ms] INPUTS in… OUTPUTS out…`, deprecated: keys come without their number. */
export const modelRun: AiCommand = {
  name: 'ai.modelrun',
  arity: -2,
  flags: ['write', 'denyoom'],
  keys: [1, 1, 1],
  inTransaction: 'execution',
  mayNest: true,
  run(context, words) {
    const { inputs, outputs, timeout } = parseModelRun(context.tensors, words);
    return modelExecute.run(context, [
      Buffer.from('AI.MODELEXECUTE'),
      words[1] as Buffer,
      Buffer.from('INPUTS'),
      Buffer.from(String(inputs.length)),
      ...inputs,
      Buffer.from('OUTPUTS'),
      Buffer.from(String(outputs.length)),
      ...outputs,
      ...timeout,
    ]);
  },
};

/** Arguments of a request, without its model's key. */
export interface ModelRunRequest {
  readonly inputs: readonly Buffer[];
  readonly outputs: readonly Buffer[];
  /** `TIMEOUT` and its value, if they are there. */
  readonly timeout: readonly Buffer[];
}

/** Arguments of a run of the model at the key. @throws CommandError with RedisAI's texts, WrongTypeError */
export function parseModelRun(tensors: TensorStore, words: readonly Buffer[]): ModelRunRequest {
  if (words.length < 6) throw new CommandError("ERR wrong number of arguments for 'AI.MODELRUN' command");
  const { loaded } = modelAt(tensors, words[1]);
  const request = sectionsOf(words);
  for (const [title, given, wanted] of [
    ['INPUTS', request.inputs, loaded.inputs],
    ['OUTPUTS', request.outputs, loaded.outputs],
  ] as const) {
    if (given.length === wanted.length || (title === 'OUTPUTS' && loaded.anyOutputs)) continue;
    throw new CommandError(`Number of keys given as ${title} here does not match model definition`);
  }
  return request;
}

/** Reads `[TIMEOUT ms] INPUTS in… OUTPUTS out…` from `words[2]` on. */
function sectionsOf(words: readonly Buffer[]): ModelRunRequest {
  let at = 2;
  let timeout: Buffer[] = [];
  if (keyword(words[at]) === 'TIMEOUT') {
    if (at + 1 >= words.length) throw new CommandError('ERR No value provided for TIMEOUT');
    if ((integer(words[at + 1]) ?? 0) <= 0) throw new CommandError('ERR Invalid value for TIMEOUT');
    timeout = words.slice(at, at + 2);
    at += 2;
  }
  if (keyword(words[at]) !== 'INPUTS') throw new CommandError('ERR INPUTS not specified');
  const outputsAt = words.findIndex((word, index) => index > at && keyword(word) === 'OUTPUTS');
  if (outputsAt === -1) throw new CommandError('ERR OUTPUTS not specified');
  return { inputs: words.slice(at + 1, outputsAt), outputs: words.slice(outputsAt + 1), timeout };
}
