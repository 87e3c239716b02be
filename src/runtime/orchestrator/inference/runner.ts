import { performance } from 'node:perf_hooks';
import { InferenceError } from './inference-error.js';
import type { ModelNames, ScriptCall, SessionSettings } from './messages.js';
import type { ByteSource, ResultTensor, TensorSource } from './tensor.js';

/** Facts of a program that has been loaded, and how long that took. */
export interface LoadedFacts extends ModelNames {
  readonly micros: number;
}

/** Results of a run: outputs in the model's order, undefined where an output is no tensor. */
export interface RunResult {
  readonly outputs: readonly (ResultTensor | undefined)[];
  readonly micros: number;
}

/** Loads and runs programs, one thing after the other: a thread of the store's, or a process with a framework in it. */
export interface Runner {
  /** Number of its open requests; the caller keeps the count. */
  occupied: number;
  readonly dead: boolean;
  /** True while it works although it is dead: nothing can end it before it is done. */
  readonly isStuck: boolean;
  has(program: number): boolean;
  load(program: number, bytes: ByteSource, settings: SessionSettings): Promise<LoadedFacts>;
  /** Runs the inputs of one or more requests, whose sizes are given, as one; a result for each. */
  run(
    program: number,
    requests: readonly (readonly TensorSource[])[],
    sizes: readonly number[],
    call?: ScriptCall,
  ): Promise<RunResult[]>;
  /** The program has been deleted: its run, if there is one, may not go on for long. */
  endSoon(program: number): void;
  /** Calls `done` once the program is unloaded, or the runner is dead. */
  onUnload(program: number, done: () => void): void;
  unload(program: number): void;
  /** Ends it once what was asked is done; what takes longer than two seconds fails. */
  close(): Promise<void>;
}

/** Milliseconds for which a run of a model that has been deleted may go on. */
const deletedRunMs = 5000;
/** The longest time that setTimeout takes. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * The open requests of a runner, in their order: the first is what it does now. Those that take too long are seen here. To be told once
 * of many runs costs less than a timer for each.
 */
export class RunWatch {
  readonly #limitMs: number;
  readonly #loadLimitMs: number;
  readonly #onLate: () => void;
  /** Programs that run, undefined while one is loaded. */
  readonly #open = new Map<number, number | undefined>();
  readonly #deleted = new Set<number>();
  /** Time at which the current work began. */
  #begunMs = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Time at which the timer ends. */
  #timerMs = 0;
  #stopped = false;
  #paused = false;

  /** `onLate` is called when a run takes longer than `limitMs`, or a load longer than `loadLimitMs`. */
  constructor(limitMs: number, onLate: () => void, loadLimitMs = Number.POSITIVE_INFINITY) {
    this.#limitMs = limitMs;
    this.#loadLimitMs = loadLimitMs;
    this.#onLate = onLate;
  }

  /** Until {@link resume} no time counts: the runner has not begun. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#begunMs = performance.now();
    this.#look();
  }

  begin(id: number, program: number | undefined): void {
    if (this.#open.size === 0) this.#begunMs = performance.now();
    this.#open.set(id, program);
    this.#look();
  }

  end(id: number): void {
    this.#open.delete(id);
    this.#begunMs = performance.now();
    this.#look();
  }

  /** The runs of a program may not go on for long. */
  endSoon(program: number): void {
    this.#deleted.add(program);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#look();
  }

  forget(program: number): void {
    this.#deleted.delete(program);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Errors for the open requests when the first has taken too long: the others may be run elsewhere. */
  *errorsWhenLate(): Generator<readonly [id: number, error: InferenceError]> {
    let isFirst = true;
    for (const [id, program] of this.#open) {
      yield [id, isFirst ? this.#lateError(program) : notBegun()];
      isFirst = false;
    }
  }

  #look(): void {
    const [first] = this.#open.values();
    if (this.#open.size === 0 || this.#stopped || this.#paused) return;
    const dueMs = this.#begunMs + this.#limitOf(first);
    // A timer that ends before is kept: it looks again. One that was set for a load may end long after.
    if (dueMs === Number.POSITIVE_INFINITY || (this.#timer !== undefined && this.#timerMs <= dueMs)) return;
    clearTimeout(this.#timer);
    this.#timerMs = dueMs;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        const [now] = this.#open.values();
        if (this.#open.size === 0 || performance.now() < this.#begunMs + this.#limitOf(now)) this.#look();
        else this.#onLate();
      },
      Math.min(Math.max(dueMs - performance.now(), 1), maxTimerMs),
    );
    this.#timer.unref();
  }

  #limitOf(program: number | undefined): number {
    if (program === undefined) return this.#loadLimitMs;
    return this.#deleted.has(program) ? Math.min(deletedRunMs, this.#limitMs) : this.#limitMs;
  }

  #lateError(program: number | undefined): InferenceError {
    if (program === undefined) {
      return new InferenceError('stopped', `loading took longer than ${this.#loadLimitMs} ms`);
    }
    const why = this.#deleted.has(program)
      ? 'the model was deleted while it ran'
      : `the model ran longer than the execution time-out of ${this.#limitMs} ms`;
    return new InferenceError('stopped', why);
  }
}

/** For a request that may be made elsewhere. */
export function notBegun(): InferenceError {
  return new InferenceError('not-begun', 'the inference thread was given up');
}

/** The programs that a runner has loaded, and who is to know when one goes. */
export class LoadedPrograms {
  readonly #ids = new Set<number>();
  readonly #onUnload = new Map<number, () => void>();

  get size(): number {
    return this.#ids.size;
  }

  add(program: number): void {
    this.#ids.add(program);
  }

  has(program: number): boolean {
    return this.#ids.has(program);
  }

  onUnload(program: number, done: () => void): void {
    this.#onUnload.set(program, done);
  }

  /** True if it was there. */
  delete(program: number): boolean {
    this.#onUnload.get(program)?.();
    this.#onUnload.delete(program);
    return this.#ids.delete(program);
  }

  clear(): void {
    for (const done of this.#onUnload.values()) done();
    this.#onUnload.clear();
    this.#ids.clear();
  }
}
