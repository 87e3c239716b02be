import { performance } from 'node:perf_hooks';
import { AbandonedWork } from './abandoned-work.js';
import type { AiContext } from './ai-context.js';
import { NoRoomError } from './errors.js';
import { Overlay } from './overlay.js';
import type { TensorValue } from './values.js';

/** Steps that work on tensors of their own. */
export interface Dag<Result> {
  /** Tensors of the store that the steps see, as they are now. */
  readonly load: readonly { readonly key: string; readonly tensor: TensorValue }[];
  /** Keys whose tensors are written to the store if no step has failed. */
  readonly persist: readonly string[];
  readonly timeoutMs: number | undefined;
  readonly steps: readonly DagStep<Result>[];
  /** Memory that the request itself takes. */
  readonly bytes: number;
  /** Gives up a result that nobody will see. */
  readonly drop: (result: Result) => void;
}

/** One step of a DAG. */
export interface DagStep<Result> {
  /** Does beforehand what takes long. */
  prepare?(): Promise<void>;
  /** True if the step is left out after another one has failed. */
  isSkipped(context: AiContext): boolean;
  /** Runs it; a run of a model may wait for its turn no longer than `timeoutMs`. */
  run(context: AiContext, timeoutMs: number | undefined): Promise<StepOutcome<Result>>;
}

/** End of a step, with the result to show for it. */
export interface StepOutcome<Result> {
  readonly kind: 'done' | 'failed' | 'timed-out';
  readonly result: Result;
}

/** Runs the steps in order. One result a step, undefined for those left out; undefined if they took longer than they may. */
export async function runDag<Result>(
  context: AiContext,
  { load, persist, timeoutMs, steps, bytes, drop }: Dag<Result>,
): Promise<(Result | undefined)[] | undefined> {
  const deadline = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
  const tensors = new Overlay(context.tensors);
  const results: (Result | undefined)[] = [];
  const memory = context.server.memory.account();
  const dropAll = (): void => {
    for (const result of results) if (result !== undefined) drop(result);
  };
  let failed = false;
  try {
    for (const { key, tensor } of load) tensors.borrow(key, tensor);
    for (const step of steps) await step.prepare?.();
    for (const step of steps) {
      // Results live in here only: nobody can wait for them after the connection has gone.
      const own = { ...context, tensors, client: { work: undefined }, abandoned: new AbandonedWork() };
      const leftMs = deadline === undefined ? undefined : deadline - performance.now();
      const outcome: Partial<StepOutcome<Result>> | undefined =
        leftMs !== undefined && leftMs < 0
          ? { kind: 'timed-out' }
          : failed && step.isSkipped(own)
            ? undefined
            : await step.run(own, leftMs === undefined ? undefined : Math.max(1, Math.ceil(leftMs)));
      if (outcome?.kind === 'timed-out') {
        dropAll();
        return undefined;
      }
      failed ||= outcome?.kind === 'failed';
      results.push(outcome?.result);
      if (memory.reserve(bytes + tensors.usedBytes)) continue;
      dropAll();
      throw new NoRoomError();
    }
    if (!failed) await tensors.persist(persist);
    return results;
  } finally {
    tensors.close();
    memory.set(0);
  }
}
