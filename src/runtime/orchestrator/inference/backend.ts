import type { ThreadHost } from './hosts.js';
import type { ModelInput, ModelNames, OutputMessage, ScriptCall, SessionSettings } from './messages.js';

export type { ModelNames, ScriptCall } from './messages.js';

/** Properties of a program that are known before it is loaded. */
export interface ModelTraits {
  /** True if its runs may have no end: they belong in a process that can be ended. */
  readonly isUnbounded: boolean;
  /** True if the work of its runs depends on the values of its inputs, not on their sizes alone. */
  readonly dependsOnValues: boolean;
}

/** Results of a run. */
export interface BackendRun {
  /** In the model's order; null for an output that is no tensor. */
  readonly outputs: readonly (OutputMessage | null)[];
  /** Duration of the run alone. */
  readonly micros: number;
}

/**
 * Loads and runs programs on a thread of the store's: models of one framework, or scripts. Each thread that runs models has one of its own, which is asked for one thing after the
 * other; the main thread has one for what models tell of themselves, and for runs that cost less than handing them to a thread.
 *
 * Queues, batches, time-outs and statistics are no concern of it. All methods reject with InferenceError.
 */
export interface Backend {
  /** Reason for which it can run nothing here, undefined if it can. */
  readonly missing: string | undefined;
  /** True if it runs models in a process of its own: it has copied the inputs when `run` returns, and `close` ends a run. */
  readonly isApart: boolean;
  /** Makes it ready before somebody waits for it. */
  warmUp(): Promise<void>;
  facts(model: Uint8Array): Promise<ModelTraits>;
  /** Loads a model or script, or loads it anew. `id` names it in the calls that follow. The bytes are the caller's again afterwards. */
  load(id: number, model: Uint8Array, settings: SessionSettings): Promise<ModelNames>;
  /**
   * Runs a model that has been loaded, on inputs in the model's order, as many as it has; or the function of a script that `call` names,
   * on any number of inputs.
   */
  run(id: number, inputs: readonly ModelInput[], call?: ScriptCall): Promise<BackendRun>;
  unload(id: number): Promise<void>;
  /** Frees everything; a run that goes on fails where it can be ended. */
  close(): Promise<void>;
}

/** Options of a backend. */
export interface BackendOptions {
  /** Absolute path of the onnxruntime-node package or its entry. */
  readonly onnxRuntime: string | undefined;
}

/** Makes a backend. Nothing is loaded before it is needed. */
export type BackendFactory = (options: BackendOptions) => Backend;

/** Backends by the hosts that they are. */
export type Backends = Readonly<Partial<Record<ThreadHost, BackendFactory>>>;
