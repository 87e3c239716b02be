import type { AvailableBackend, BackendName } from '../../../ml/backends.js';
import type { InputTypes } from './input-type.js';
import type { ModelInput, OutputMessage, SessionSettings } from './messages.js';

/** Properties of a model that are known before it is loaded. */
export interface ModelTraits {
  /** True if its runs may have no end: they belong in a process that can be ended. */
  readonly isUnbounded: boolean;
  /** True if the work of its runs depends on the values of its inputs, not on their sizes alone. */
  readonly dependsOnValues: boolean;
}

/** Names of a model's inputs and outputs, in the model's order. */
export interface ModelNames {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly inputTypes?: InputTypes;
}

/** Results of a run. */
export interface BackendRun {
  /** In the model's order; null for an output that is no tensor. */
  readonly outputs: readonly (OutputMessage | null)[];
  /** Duration of the run alone. */
  readonly micros: number;
}

/**
 * Loads and runs the models of one framework. Each thread that runs models has one of its own, which is asked for one thing after the
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
  /** Loads a model, or loads it anew. `id` names it in the calls that follow. The bytes are the caller's again afterwards. */
  load(id: number, model: Uint8Array, settings: SessionSettings): Promise<ModelNames>;
  /** Runs a model that has been loaded. Inputs are in the model's order, as many as it has. */
  run(id: number, inputs: readonly ModelInput[]): Promise<BackendRun>;
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

/** Backends by their names on the wire: all that {@link AvailableBackend} promises, and perhaps more. */
export type Backends = Readonly<Record<AvailableBackend, BackendFactory>> &
  Readonly<Partial<Record<BackendName, BackendFactory>>>;
