import type { EngineWorkerOptions } from '../orchestrator/framed/engine-worker.js';
import type { OrchestratorStats, WarmUp } from '../orchestrator/index.js';

/** Options of a worker process: those that can be sent to it. */
export type WorkerProcessOptions = Omit<
  EngineWorkerOptions,
  'log' | 'backends' | 'workerUrl' | 'socketPath' | 'inference' | 'poll'
> & {
  /** Sockets that the modules of its servers listen on: one, or those of several servers of a cluster. */
  readonly sockets: readonly string[];
  /** True if these servers may die and come back. */
  readonly outlivesServers?: boolean | undefined;
  /** Module that inference threads run. */
  readonly workerUrl?: string | undefined;
};

/** Message to the process of the AI layer. */
export type ToWorker =
  | { readonly start: WorkerProcessOptions }
  /** Run all models that it knows once, on zeros. */
  | { readonly warmUp: readonly string[] }
  /** Report now what has been done. */
  | { readonly report: true };

/** Message from the process of the AI layer. */
export type FromWorker =
  | { readonly ready: true }
  | { readonly failed: string }
  | { readonly log: readonly [level: 'debug' | 'info' | 'warn' | 'error', message: string] }
  | { readonly warmedUp: readonly WarmUp[] }
  /** Now and then, and when a report is asked for. */
  | { readonly stats: Pick<OrchestratorStats, 'inferences' | 'workers'>; readonly isAnswer: boolean };
