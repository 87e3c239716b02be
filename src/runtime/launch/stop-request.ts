import type { WorkflowError } from '../../diagnostics/index.js';

/** Why a launch ends before its members do. */
export type StopReason =
  | { readonly kind: 'signal'; readonly signal: 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGUSR2' }
  | { readonly kind: 'deadline' }
  | { readonly kind: 'script-gone' }
  /** A store, or a Ray cluster, that it uses or runs has died. */
  | { readonly kind: 'store' | 'ray'; readonly problem: WorkflowError };

/** A request to stop. Only the first reason counts. */
export class StopRequest {
  readonly #callbacks = new Set<(reason: StopReason) => void>();
  #reason: StopReason | undefined;

  get reason(): StopReason | undefined {
    return this.#reason;
  }

  request(reason: StopReason): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    for (const callback of [...this.#callbacks]) callback(reason);
  }

  /** The value of some work, or `undefined` as soon as a stop is requested: a store whose host has gone does not even refuse to answer. */
  async orStop<Value>(work: Promise<Value>): Promise<Value | undefined> {
    let withdraw: () => unknown = () => {};
    const stopped = new Promise<undefined>((resolve) => {
      withdraw = this.onRequest(() => resolve(undefined));
    });
    // After a stop nobody waits for the work, so its failure is nobody's.
    work.catch(() => {});
    try {
      return await Promise.race([work, stopped]);
    } finally {
      withdraw();
    }
  }

  /** Calls back at the request, at once if it has been made; returns a function that withdraws. */
  onRequest(callback: (reason: StopReason) => void): () => void {
    if (this.#reason !== undefined) callback(this.#reason);
    else this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }
}

/** The reason in words, for status files and logs. */
export function describeStop(reason: StopReason): string {
  switch (reason.kind) {
    case 'signal':
      return `the job got ${reason.signal}`;
    case 'deadline':
      return 'the walltime is about to be over';
    case 'script-gone':
      return 'the script of the job has gone';
    case 'store':
    case 'ray':
      return reason.problem.message.split('\n')[0] ?? 'a service died';
  }
}

/** Exit code of a launch that ended for that reason. */
export function exitCodeOfStop(reason: StopReason): number {
  switch (reason.kind) {
    case 'signal':
      return { SIGTERM: 143, SIGINT: 130, SIGHUP: 129, SIGUSR2: 140 }[reason.signal];
    case 'deadline':
      return 124;
    case 'script-gone':
      return 143;
    case 'store':
    case 'ray':
      return 1;
  }
}
