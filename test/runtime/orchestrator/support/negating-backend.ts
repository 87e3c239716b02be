import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import type { Backend, Backends } from '../../../../src/runtime/orchestrator/inference/backend.js';
import { InferenceError } from '../../../../src/runtime/orchestrator/inference/inference-error.js';

/**
 * A backend whose models are numbers: they change the sign of a FLOAT tensor's elements once so many milliseconds have passed. The test
 * registers it as TORCH.
 */
class NegatingBackend implements Backend {
  readonly missing = undefined;
  readonly isApart = false;
  readonly #delaysMs = new Map<number, number>();

  async warmUp(): Promise<void> {}

  async facts() {
    return { isUnbounded: false, dependsOnValues: false };
  }

  async load(id: number, model: Uint8Array) {
    const delayMs = Number(Buffer.from(model).toString());
    if (Number.isNaN(delayMs)) throw new InferenceError('model', 'Not a number');
    this.#delaysMs.set(id, delayMs);
    return { inputs: ['x'], outputs: ['minus x'] };
  }

  async run(id: number, inputs: Parameters<Backend['run']>[1]) {
    const started = performance.now();
    const delayMs = this.#delaysMs.get(id) ?? 0;
    if (delayMs > 0) await sleep(delayMs);
    if (isMainThread) onMainThread.runs += 1;
    const outputs = inputs.map(({ dtype, shape, buffer }) => {
      if (dtype !== 'FLOAT') throw new InferenceError('model', `It negates FLOAT, not ${dtype}`);
      return { dtype, shape, buffer: new Float32Array(buffer).map((value) => -value).buffer };
    });
    return { outputs, micros: Math.round((performance.now() - started) * 1000) };
  }

  async unload(id: number): Promise<void> {
    this.#delaysMs.delete(id);
  }

  async close(): Promise<void> {}
}

/** Count of the runs that no other thread has done. */
export const onMainThread = { runs: 0 };

/** For `startOrchestrator({ backends })` and `runInferenceWorker()`. */
export const negating: Partial<Backends> = { TORCH: () => new NegatingBackend() };
