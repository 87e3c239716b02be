import { performance } from 'node:perf_hooks';
import { InferenceError } from './inference-error.js';
import { RunQueue, type RunRequest } from './run-queue.js';
import type { Runner } from './runner.js';

interface Task {
  readonly begin: (thread: Runner) => Promise<void>;
  readonly reject: (error: Error) => void;
}

/** Runs requests as one on a thread, and resolves with a function that answers them. Never rejects. */
export type RunOnThread = (thread: Runner, requests: readonly RunRequest[]) => Promise<Answer>;

/** Tells those who wait. */
type Answer = () => void;

const nobodyWaits: Answer = () => {};

/** The threads of one device and the queue before them: first come, first served. */
export class DevicePool {
  /** Device of its threads. */
  readonly device: string;
  readonly #size: number;
  readonly #start: () => Runner;
  readonly #run: RunOnThread;
  readonly #idle: Runner[] = [];
  /** Threads with one quick run to do, which may be given the next already. */
  readonly #almostIdle = new Set<Runner>();
  readonly #threads = new Set<Runner>();
  /** Threads that were given up in the middle of something. */
  readonly #givenUp = new Set<Runner>();
  readonly #tasks: Task[] = [];
  readonly #requests = new RunQueue();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #soon = false;

  /** At most `size` threads, started by `start` when they are first needed. */
  constructor(device: string, size: number, start: () => Runner, run: RunOnThread) {
    this.device = device;
    this.#size = size;
    this.#start = start;
    this.#run = run;
  }

  /** Starts threads before they are needed, until there are `count`. */
  warmUp(count = 1): void {
    while (this.#threads.size < Math.min(count, this.#size)) this.#idle.push(this.#newThread());
  }

  /** A thread has ended by itself: another takes its place before it is needed. */
  replace(thread: Runner): void {
    const at = this.#idle.indexOf(thread);
    if (at !== -1) this.#idle.splice(at, 1);
    this.#almostIdle.delete(thread);
    this.#forget(thread);
    if (this.#closed) return;
    this.warmUp();
    this.#dispatch();
  }

  /** Gives `work` a thread of its own for as long as it takes, once one is free. */
  use<Result>(work: (thread: Runner) => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(closing());
        return;
      }
      this.#tasks.push({ begin: (thread) => work(thread).then(resolve, reject), reject });
      this.#dispatch();
    });
  }

  /** Gives `work` each of its threads once, those included that have not been started yet. Rejects, all done, with the first failure. */
  async useEach(work: (thread: Runner) => Promise<void>): Promise<void> {
    let begun = 0;
    let goOn: () => void = () => {};
    const allBegun = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const ends = await Promise.allSettled(
      Array.from({ length: this.#size }, () =>
        this.use(async (thread) => {
          begun += 1;
          if (begun === this.#size) goOn();
          // Until all have one, nobody lets go of the own.
          await Promise.all([work(thread), allBegun]);
        }).catch((error: unknown) => {
          goOn();
          throw error;
        }),
      ),
    );
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  /** Runs a request once a thread is free, with others if its model wants that. */
  run(request: RunRequest): void {
    if (this.#closed) {
      request.reject(closing());
      return;
    }
    this.#requests.push(request);
    if (request.shape === undefined) this.#dispatch();
    else this.#dispatchSoon();
  }

  /** Looks again for what can be run. */
  wake(): void {
    this.#dispatch();
  }

  /** Calls `visit` for each thread that runs. */
  forEach(visit: (thread: Runner) => void): void {
    for (const thread of this.#threads) visit(thread);
  }

  /** Ends the threads; what they do and what waits for them fails. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const { reject } of this.#tasks.splice(0)) reject(closing());
    for (const { reject } of this.#requests.drain()) reject(closing());
    const threads = [...this.#threads, ...this.#givenUp];
    await Promise.all(threads.map((thread) => thread.close()));
    for (const thread of threads) this.#forget(thread);
  }

  /** True if a thread works that nothing can end. */
  get isStuck(): boolean {
    return [...this.#givenUp].some((thread) => thread.isStuck);
  }

  #forget(thread: Runner): void {
    this.#threads.delete(thread);
    for (const other of this.#givenUp) if (!other.isStuck) this.#givenUp.delete(other);
    if (thread.isStuck) this.#givenUp.add(thread);
  }

  /** Lets what has come in the same turn of the event loop join in. */
  #dispatchSoon(): void {
    if (this.#soon) return;
    this.#soon = true;
    setImmediate(() => {
      this.#soon = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    while (this.#idle.length > 0 || this.#threads.size < this.#size) {
      const task = this.#tasks.shift();
      const requests = task === undefined ? this.#requests.take() : undefined;
      if (task !== undefined) this.#occupy(this.#free(), (thread) => task.begin(thread).then(() => nobodyWaits));
      else if (requests !== undefined) this.#runOn(this.#free(), requests);
      else break;
    }
    for (const thread of this.#almostIdle) this.#runAhead(thread);
    this.#setTimer();
  }

  /** Gives a thread what it is to do after a quick run, so that it need not wait for it. */
  #runAhead(thread: Runner): void {
    const requests = this.#requests.takeAhead(
      ({ model, bytes }) => model.isQuick && bytes <= aheadBytes && thread.has(model.id),
    );
    if (requests === undefined) return;
    this.#almostIdle.delete(thread);
    this.#runOn(thread, requests);
  }

  #runOn(thread: Runner, requests: readonly RunRequest[]): void {
    if (thread.occupied === 0 && requests[0]?.model.isQuick === true) this.#almostIdle.add(thread);
    this.#occupy(thread, () => this.#run(thread, requests));
  }

  #occupy(thread: Runner, work: (thread: Runner) => Promise<Answer>): void {
    thread.occupied += 1;
    void work(thread).then((answer) => {
      thread.occupied -= 1;
      this.#almostIdle.delete(thread);
      if (thread.dead) this.#forget(thread);
      else if (thread.occupied === 0) this.#idle.push(thread);
      // It goes on with a run that was given to it ahead, hence a quick one.
      else this.#almostIdle.add(thread);
      // To answer many takes a while, in which the thread is to have something to do.
      this.#dispatch();
      answer();
    });
  }

  /** An idle thread, or a new one. */
  #free(): Runner {
    for (let thread = this.#idle.pop(); thread !== undefined; thread = this.#idle.pop()) {
      if (!thread.dead) return thread;
      this.#forget(thread);
    }
    return this.#newThread();
  }

  /** Requests that wait for company or have a time limit become due without anything else happening. */
  #setTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { wakeAtMs } = this.#requests;
    if (wakeAtMs === undefined || this.#closed) return;
    this.#timer = setTimeout(
      () => this.#dispatch(),
      Math.min(Math.max(1, wakeAtMs - performance.now() + 1), maxTimerMs),
    );
    this.#timer.unref();
  }

  #newThread(): Runner {
    const thread = this.#start();
    this.#threads.add(thread);
    return thread;
  }
}

/** Inputs up to this size are copied, so that nobody misses them while they wait. */
const aheadBytes = 4 * 1024 * 1024;

/** The longest time that setTimeout takes. */
const maxTimerMs = 2 ** 31 - 1;

function closing(): InferenceError {
  return new InferenceError('failed', 'the orchestrator is closing');
}
