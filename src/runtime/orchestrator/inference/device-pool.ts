import { InferenceError } from './inference-error.js';
import type { InferenceThread } from './inference-thread.js';

interface Task {
  readonly begin: (thread: InferenceThread) => Promise<void>;
  readonly reject: (error: Error) => void;
}

/** The threads of one device and the queue before them: first come, first served. */
export class DevicePool {
  readonly #size: number;
  readonly #start: () => InferenceThread;
  readonly #idle: InferenceThread[] = [];
  readonly #threads = new Set<InferenceThread>();
  readonly #queue: Task[] = [];
  #closed = false;

  /** At most `size` threads, started by `start` when they are first needed. */
  constructor(size: number, start: () => InferenceThread) {
    this.#size = size;
    this.#start = start;
  }

  /** Starts a thread before it is needed. */
  warmUp(): void {
    if (this.#threads.size === 0) this.#idle.push(this.#newThread());
  }

  /** Gives `work` a thread of its own for as long as it takes, once one is free. */
  use<Result>(work: (thread: InferenceThread) => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(closing());
        return;
      }
      this.#queue.push({ begin: (thread) => work(thread).then(resolve, reject), reject });
      this.#dispatch();
    });
  }

  /** Calls `visit` for each thread that runs. */
  forEach(visit: (thread: InferenceThread) => void): void {
    for (const thread of this.#threads) visit(thread);
  }

  /** Ends the threads; what they do and what waits for them fails. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject } of this.#queue.splice(0)) reject(closing());
    await Promise.all([...this.#threads].map((thread) => thread.close()));
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const thread = this.#free();
      if (thread === undefined) return;
      const task = this.#queue.shift();
      if (task === undefined) return;
      void task.begin(thread).finally(() => {
        if (thread.dead) this.#threads.delete(thread);
        else this.#idle.push(thread);
        this.#dispatch();
      });
    }
  }

  #free(): InferenceThread | undefined {
    for (let thread = this.#idle.pop(); thread !== undefined; thread = this.#idle.pop()) {
      if (!thread.dead) return thread;
      this.#threads.delete(thread);
    }
    return this.#threads.size < this.#size ? this.#newThread() : undefined;
  }

  #newThread(): InferenceThread {
    const thread = this.#start();
    this.#threads.add(thread);
    return thread;
  }
}

function closing(): InferenceError {
  return new InferenceError('ERR the orchestrator is closing');
}
