import { LendableBytes } from '../bytes/lendable-bytes.js';
import { InferenceError, type RunResult } from '../inference/index.js';
import type { RunningWork } from './abandoned-work.js';
import type { AiContext } from './ai-context.js';
import { assertRoom } from './room.js';
import type { TensorStore } from './tensor-store.js';
import type { ModelValue, TensorValue } from './values.js';

/** A model to run. */
export interface ModelRun {
  readonly model: ModelValue;
  /** In the model's order, as many as it has. */
  readonly inputs: readonly TensorValue[];
  /** Keys to write the outputs to, in the model's order. */
  readonly outputs: readonly string[];
  /** Longest time that the run may wait to be begun. */
  readonly timeoutMs: number | undefined;
}

/**
 * Runs a model; all outputs appear at once. Settles when they have. A run that was asked for before by a client that has gone is not
 * repeated.
 * @throws WrongTypeError if an output's key holds no tensor. The promise rejects with InferenceError, WrongTypeError and NoRoomError
 */
export function runModel(context: AiContext, run: ModelRun): Promise<void> {
  const { tensors, client, abandoned } = context;
  checkOutputs(tensors, run.outputs);
  const identities = [run.model.loaded.id, ...run.inputs.map(({ bytes }) => bytes.serial)];
  client.work = abandoned.take(identities, run.outputs) ?? begin(context, run, identities);
  return client.work.outcome;
}

function begin(context: AiContext, run: ModelRun, inputs: readonly number[]): RunningWork {
  const outcome = execute(context, run, (isStillTrue) => {
    work.isStillTrue = isStillTrue;
  });
  const work: RunningWork = { inputs, outputs: run.outputs, outcome };
  return work;
}

async function execute(
  { tensors, inference, server }: AiContext,
  { model, inputs, outputs, timeoutMs }: ModelRun,
  onDone: (isStillTrue: () => boolean) => void,
): Promise<void> {
  for (const { bytes } of inputs) bytes.hold();
  try {
    const result = await inference.run(model.loaded, inputs, timeoutMs);
    if (result.outputs.length !== outputs.length) {
      const counts = `the model has ${result.outputs.length} outputs, and the command names ${outputs.length}`;
      throw new InferenceError('model', counts);
    }
    checkOutputs(tensors, outputs);
    const bytes = result.outputs.reduce((sum, output) => sum + (output?.buffer.byteLength ?? 0), 0);
    assertRoom({ server }, bytes);
    count(model, result);
    onDone(storeOutputs(tensors, outputs, result));
  } catch (error) {
    onDone(() => false);
    if (error instanceof InferenceError && error.problem !== 'timed-out') {
      model.statistics.calls += 1;
      model.statistics.errors += 1;
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

function count({ statistics }: ModelValue, result: RunResult): void {
  statistics.calls += 1;
  statistics.durationMicros += result.micros;
  statistics.samples += result.outputs[0]?.shape[0] ?? 0;
}
