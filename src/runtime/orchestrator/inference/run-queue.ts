import { performance } from 'node:perf_hooks';
import type { BatchOptions, BatchShape } from './batching.js';
import { InferenceError } from './inference-error.js';
import type { ScriptCall } from './messages.js';
import type { RunResult } from './runner.js';
import type { TensorSource } from './tensor.js';

/** A request that waits to be run. */
export interface RunRequest {
  readonly model: {
    readonly id: number;
    readonly batch: BatchOptions;
    readonly unwanted: boolean;
    readonly isQuick: boolean;
  };
  readonly inputs: readonly TensorSource[];
  /** Function to run, if it is a script's. */
  readonly call?: ScriptCall | undefined;
  /** Size of all inputs. */
  readonly bytes: number;
  /** Undefined if it runs alone. */
  readonly shape: BatchShape | undefined;
  /** By `performance.now()`. */
  readonly queuedAtMs: number;
  readonly timeoutMs: number | undefined;
  resolve(result: RunResult): void;
  reject(error: Error): void;
}

/** Requests to models in the order in which they came; hands them out one by one, or joined where their model wants that. */
export class RunQueue {
  #requests: RunRequest[] = [];
  #wakeAtMs: number | undefined;

  get length(): number {
    return this.#requests.length;
  }

  /** Time at which {@link take} has something that it did not have at its last call, by `performance.now()`. */
  get wakeAtMs(): number | undefined {
    return this.#wakeAtMs;
  }

  push(request: RunRequest): void {
    this.#requests.push(request);
  }

  /** Requests to run next, as one, if the first satisfies the condition and no later one could join. */
  takeAhead(condition: (head: RunRequest) => boolean): RunRequest[] | undefined {
    const [head] = this.#requests;
    if (head === undefined || !condition(head)) return undefined;
    const members = this.#membersFor(head);
    if (head.shape !== undefined && sizeOf(members) < head.model.batch.batchSize) return undefined;
    this.#remove(members);
    return members;
  }

  /** Requests to run next, as one; undefined if none are ready. Those that have waited too long are rejected. */
  take(): RunRequest[] | undefined {
    this.#wakeAtMs = undefined;
    if (this.#requests.length === 0) return undefined;
    const now = performance.now();
    this.#expire(now);
    const passed = new Set<RunRequest>();
    for (const head of this.#requests) {
      if (passed.has(head)) continue;
      const members = this.#membersFor(head);
      if (this.#isReady(head, members, now)) {
        this.#remove(members);
        return members;
      }
      for (const member of members) passed.add(member);
    }
    for (const { timeoutMs, queuedAtMs } of this.#requests) {
      if (timeoutMs !== undefined) this.#wake(queuedAtMs + timeoutMs);
    }
    return undefined;
  }

  /** Everything that waits; nothing waits afterwards. */
  drain(): RunRequest[] {
    return this.#requests.splice(0);
  }

  #membersFor(head: RunRequest): RunRequest[] {
    const { model, shape } = head;
    const wanted = model.batch.batchSize;
    const members = [head];
    if (shape === undefined || shape.size >= wanted) return members;
    let size = shape.size;
    for (let at = this.#requests.indexOf(head) + 1; at < this.#requests.length && size < wanted; at += 1) {
      const other = this.#requests[at];
      if (other?.model !== model || other.shape?.likeness !== shape.likeness) continue;
      members.push(other);
      size += other.shape.size;
    }
    return members;
  }

  #isReady(head: RunRequest, members: readonly RunRequest[], now: number): boolean {
    const { minBatchSize, minBatchTimeoutMs } = head.model.batch;
    // No others will come for a model that has been deleted.
    if (head.shape === undefined || minBatchSize === 0 || head.model.unwanted) return true;
    if (sizeOf(members) >= minBatchSize) return true;
    if (minBatchTimeoutMs === 0) return false;
    const releaseAtMs = head.queuedAtMs + minBatchTimeoutMs;
    if (now > releaseAtMs) return true;
    this.#wake(releaseAtMs);
    return false;
  }

  #wake(atMs: number): void {
    this.#wakeAtMs = Math.min(this.#wakeAtMs ?? Number.POSITIVE_INFINITY, atMs);
  }

  #remove(members: readonly RunRequest[]): void {
    if (members.length === 1 && members[0] === this.#requests[0]) {
      this.#requests.shift();
      return;
    }
    const gone = new Set(members);
    this.#requests = this.#requests.filter((request) => !gone.has(request));
  }

  #expire(now: number): void {
    const isLate = ({ queuedAtMs, timeoutMs }: RunRequest) => timeoutMs !== undefined && now - queuedAtMs > timeoutMs;
    const late = this.#requests.filter(isLate);
    if (late.length === 0) return;
    this.#remove(late);
    for (const { reject } of late)
      reject(new InferenceError('timed-out', 'the request waited longer than it wanted to'));
  }
}

function sizeOf(members: readonly RunRequest[]): number {
  return members.reduce((sum, { shape }) => sum + (shape?.size ?? 0), 0);
}
