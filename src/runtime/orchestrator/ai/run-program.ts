import { LendableBytes } from '../bytes/lendable-bytes.js';
import { InferenceError, type LoadedScript, type RunResult } from '../inference/index.js';
import type { RunningWork } from './abandoned-work.js';
import type { AiContext } from './ai-context.js';
import { assertRoom } from './room.js';
import type { TensorStore } from './tensor-store.js';
import type { ModelValue, RunStatistics, ScriptValue, TensorValue } from './values.js';

/** A model to run. */
export interface ModelRun extends RunKeys {
  readonly model: ModelValue;
  /** In the model's order, as many as it has. */
  readonly inputs: readonly TensorValue[];
}

/** A script's function to run. */
export interface ScriptRun extends RunKeys {
  readonly script: ScriptValue;
  readonly fn: string;
  readonly inputs: readonly TensorValue[];
  /** Keys and arguments of an entry point. */
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

interface RunKeys {
  /** Keys to write the outputs to, in the order of the model's or function's. */
  readonly outputs: readonly string[];
  /** Longest time that the run may wait to be begun. */
  readonly timeoutMs: number | undefined;
}

/** A run of a model or of a script's function. */
interface Run extends RunKeys {
  readonly inputs: readonly TensorValue[];
  /** Identity of the run, in words and numbers that no other run has. */
  readonly identity: readonly (number | string)[];
  readonly statistics: RunStatistics;
  readonly start: () => Promise<RunResult>;
}

/**
 * Runs a model; all outputs appear at once. Settles when they have. A run that was asked for before by a client that has gone is not
 * repeated.
 * @throws WrongTypeError if an output's key holds no tensor. The promise rejects with InferenceError, WrongTypeError and NoRoomError
 */
export function runModel(context: AiContext, { model, inputs, outputs, timeoutMs }: ModelRun): Promise<void> {
  const { loaded, statistics } = model;
  return start(context, {
    inputs,
    outputs,
    timeoutMs,
    identity: [loaded.id],
    statistics,
    async start() {
      const result = await context.inference.run(loaded, inputs, timeoutMs);
      if (result.outputs.length === outputs.length) return result;
      const counts = `the model has ${result.outputs.length} outputs, and the command names ${outputs.length}`;
      throw new InferenceError('model', counts);
    },
  });
}

/** Runs a function of a script, as {@link runModel}. */
export function runScript(context: AiContext, { script, fn, keys, args, ...run }: ScriptRun): Promise<void> {
  const { loaded, statistics, entryPoints } = script;
  const isEntryPoint = entryPoints.includes(fn);
  return start(context, {
    ...run,
    identity: [loaded.id, fn, ...keys, '', ...args, ''],
    statistics,
    async start() {
      if (!isEntryPoint) checkCall(loaded, fn, run.inputs.length);
      const call = { fn, isEntryPoint, keys, args, outputs: run.outputs.length };
      return context.inference.runScript(loaded, call, run.inputs, run.timeoutMs);
    },
  });
}

/** @throws InferenceError with RedisAI's texts unless the script has such a function, and it takes so many tensors */
function checkCall({ functions }: LoadedScript, fn: string, inputs: number): void {
  const parameters = functions.get(fn);
  if (parameters === undefined) throw new InferenceError('model', `Function does not exist: ${fn}`);
  let left = inputs;
  for (const { type } of parameters) {
    if (type === 'Tensor') {
      if (left === 0) throw new InferenceError('model', `Wrong number of inputs provided to function: ${fn}`);
      left -= 1;
    } else if (type === 'List[Tensor]') left = 0;
    else throw new InferenceError('model', `Unsupported input type in function definition: ${fn}`);
  }
}

function start(context: AiContext, run: Run): Promise<void> {
  const { tensors, client, abandoned } = context;
  checkOutputs(tensors, run.outputs);
  const identities = [...run.identity, ...run.inputs.map(({ bytes }) => bytes.serial)];
  client.work = abandoned.take(identities, run.outputs) ?? begin(context, run, identities);
  return client.work.outcome;
}

function begin(context: AiContext, run: Run, inputs: readonly (number | string)[]): RunningWork {
  const outcome = execute(context, run, (isStillTrue) => {
    work.isStillTrue = isStillTrue;
  });
  const work: RunningWork = { inputs, outputs: run.outputs, outcome };
  return work;
}

async function execute(
  { tensors, server }: AiContext,
  { inputs, outputs, statistics, start }: Run,
  onDone: (isStillTrue: () => boolean) => void,
): Promise<void> {
  for (const { bytes } of inputs) bytes.hold();
  try {
    const result = await start();
    checkOutputs(tensors, outputs);
    const bytes = result.outputs.reduce((sum, output) => sum + (output?.buffer.byteLength ?? 0), 0);
    assertRoom({ server }, bytes);
    count(statistics, result);
    onDone(storeOutputs(tensors, outputs, result));
  } catch (error) {
    onDone(() => false);
    if (error instanceof InferenceError && error.problem !== 'timed-out') {
      statistics.calls += 1;
      statistics.errors += 1;
    }
    throw error;
  } finally {
    for (const { bytes } of inputs) bytes.letGo();
  }
}

function checkOutputs(tensors: TensorStore, keys: readonly string[]): void {
  for (const key of keys) tensors.read(key, 'tensor');
}

/** Returns a function that is true as long as the keys hold what is stored here. */
function storeOutputs(tensors: TensorStore, keys: readonly string[], result: RunResult): () => boolean {
  const stored: (TensorValue | undefined)[] = [];
  for (const [index, key] of keys.entries()) {
    const output = result.outputs[index];
    if (output === undefined) {
      stored.push(undefined);
      continue;
    }
    const { dtype, shape } = output;
    const tensor: TensorValue = { kind: 'tensor', dtype, shape, bytes: new LendableBytes(Buffer.from(output.buffer)) };
    tensors.set(key, tensor);
    stored.push(tensor);
  }
  return () => stored.every((tensor, index) => tensor === undefined || tensors.get(keys[index] as string) === tensor);
}

function count(statistics: RunStatistics, result: RunResult): void {
  statistics.calls += 1;
  statistics.durationMicros += result.micros;
  statistics.samples += result.outputs[0]?.shape[0] ?? 0;
}
