import { type Inference, InferenceError, QueueTimeoutError, type RunResult } from '../inference/index.js';
import { ErrorReply, ok, type Reply } from '../resp/reply.js';
import type { Keyspace } from '../store/keyspace.js';
import { LendableBytes } from '../store/lendable-bytes.js';
import type { ModelValue, TensorValue } from '../store/values.js';
import { type Command, CommandError } from './command.js';
import { inputAt, modelAt } from './models.js';
import { assertRoom } from './room.js';
import type { RunningWork } from './running-work.js';
import type { ServerFacts } from './server-facts.js';
import { integer, keyword, latin1 } from './words.js';

const name = 'AI.MODELEXECUTE';

/**
 * `AI.MODELEXECUTE key INPUTS n in… OUTPUTS m out… [TIMEOUT ms]`: input values are those of the moment; all outputs
 * appear at once. A request that waits longer than its TIMEOUT gets an error line: SmartRedis takes RedisAI's
 * `+TIMEDOUT` for success.
 */
export const modelExecute: Command = {
  name: 'ai.modelexecute',
  arity: -2,
  flags: ['write', 'denyoom'],
  keys: [1, 1, 1],
  inTransaction: 'execution',
  mayNest: true,
  run({ store, inference, server, client, abandoned }, words) {
    const { model, request } = parseModelExecute(store, words);
    const inputs: TensorValue[] = [];
    const identities = [model.loaded.id];
    for (const key of request.inputs) {
      const input = inputAt(store, key);
      inputs.push(input);
      identities.push(input.bytes.serial);
    }
    checkOutputs(store, request.outputs);
    client.work =
      abandoned.take(identities, request.outputs) ??
      begin({ store, inference, server, model, request, inputs }, identities);
    return client.work.outcome;
  },
};

interface Execution {
  readonly store: Keyspace;
  readonly inference: Inference;
  readonly server: ServerFacts;
  readonly model: ModelValue;
  readonly request: ExecuteRequest;
  readonly inputs: readonly TensorValue[];
}

function begin(execution: Execution, inputs: readonly number[]): RunningWork {
  const outcome = execute(execution, (isStillTrue) => {
    work.isStillTrue = isStillTrue;
  });
  const work: RunningWork = { inputs, outputs: execution.request.outputs, outcome };
  return work;
}

async function execute(
  { store, inference, server, model, request, inputs }: Execution,
  onDone: (isStillTrue: () => boolean) => void,
): Promise<Reply> {
  for (const { bytes } of inputs) bytes.hold();
  try {
    const result = await inference.run(model.loaded, inputs, request.timeoutMs);
    checkOutputs(store, request.outputs);
    assertRoom(
      { server },
      result.outputs.reduce((bytes, output) => bytes + (output?.buffer.byteLength ?? 0), 0),
    );
    count(model, result);
    onDone(storeOutputs(store, request.outputs, result));
    return ok;
  } catch (error) {
    onDone(() => false);
    if (error instanceof QueueTimeoutError) return timedOut(request.timeoutMs);
    if (error instanceof InferenceError) {
      model.statistics.calls += 1;
      model.statistics.errors += 1;
    }
    throw error;
  } finally {
    for (const { bytes } of inputs) bytes.letGo();
  }
}

/** Arguments of a request, without its model's key. */
export interface ExecuteRequest {
  readonly inputs: readonly Buffer[];
  readonly outputs: readonly string[];
  readonly timeoutMs: number | undefined;
}

/** The model at its key and the arguments of its run. @throws CommandError with RedisAI's texts, WrongTypeError */
export function parseModelExecute(
  store: Keyspace,
  words: readonly Buffer[],
): { readonly model: ModelValue; readonly request: ExecuteRequest } {
  if (words.length < 8) throw new CommandError(`ERR wrong number of arguments for '${name}' command`);
  const model = modelAt(store, words[1]);
  return { model, request: parse(words, model) };
}

function parse(words: readonly Buffer[], model: ModelValue): ExecuteRequest {
  const inputs = section(words, 2, 'INPUTS', 'input', model.loaded.inputs.length);
  const outputsAt = 4 + inputs.length;
  const outputs = section(words, outputsAt, 'OUTPUTS', 'output', model.loaded.outputs.length).map(latin1);
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
  expected: number,
): readonly Buffer[] {
  if (keyword(words[at]) !== title) throw new CommandError(`ERR ${title} not specified`);
  const count = integer(words[at + 1]);
  if (count === undefined) throw new CommandError(`ERR Invalid argument for ${noun}_count`);
  if (count <= 0) {
    throw new CommandError(`ERR ${noun === 'input' ? 'Input' : 'Output'} count must be a positive integer`);
  }
  if (count !== expected) {
    throw new CommandError(`Number of keys given as ${title} here does not match model definition`);
  }
  if (at + 2 + count > words.length) {
    throw new CommandError(
      `ERR number of ${noun} keys to ${name} command does not match the number of given arguments`,
    );
  }
  return words.slice(at + 2, at + 2 + count);
}

function checkOutputs(store: Keyspace, keys: readonly string[]): void {
  for (const key of keys) store.read(key, 'tensor');
}

/** Returns whether the keys still hold what is stored here. */
function storeOutputs(store: Keyspace, keys: readonly string[], result: RunResult): () => boolean {
  const stored: (TensorValue | undefined)[] = [];
  for (const [index, key] of keys.entries()) {
    const output = result.outputs[index];
    if (output === undefined) {
      stored.push(undefined);
      continue;
    }
    const { dtype, shape } = output;
    const tensor: TensorValue = { kind: 'tensor', dtype, shape, bytes: new LendableBytes(Buffer.from(output.buffer)) };
    store.set(key, tensor);
    stored.push(tensor);
  }
  return () => stored.every((tensor, index) => tensor === undefined || store.get(keys[index] as string) === tensor);
}

function count(model: ModelValue, result: RunResult): void {
  model.statistics.calls += 1;
  model.statistics.durationMicros += result.micros;
  model.statistics.samples += result.outputs[0]?.shape[0] ?? 0;
}

function timedOut(timeoutMs: number | undefined): Reply {
  return new ErrorReply(`TIMEDOUT the request waited longer than its TIMEOUT of ${timeoutMs} ms`);
}
