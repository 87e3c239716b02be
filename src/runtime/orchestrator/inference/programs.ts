import type { BackendName } from '../../../ml/backends.js';
import type { Backend } from './backend.js';
import type { BatchOptions } from './batching.js';
import type { HostName } from './hosts.js';
import type { InputTypes } from './input-type.js';
import type { LaneModel } from './main-lane.js';
import type { ScriptParameter } from './messages.js';
import type { ByteSource } from './tensor.js';

/** A model to load. */
export interface ModelDefinition {
  readonly backend: BackendName;
  /** As {@link parseDevice} gives it. */
  readonly device: string;
  readonly batch?: BatchOptions;
  /** Names of its inputs and outputs, if its backend wants to be told. */
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly bytes: ByteSource;
}

/** A script to load: TorchScript source. */
export interface ScriptDefinition {
  /** As {@link parseDevice} gives it. */
  readonly device: string;
  readonly bytes: ByteSource;
}

/** A program that can be run, until it is unloaded. */
export interface LoadedProgram {
  readonly id: number;
  /** Device that it runs on. */
  readonly device: string;
}

/** A model that can be run, until it is unloaded. */
export interface LoadedModel extends LoadedProgram {
  /** Names in the model's order. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** True if only a run tells how many outputs there are. */
  readonly anyOutputs: boolean;
  /** Types of its inputs, where it tells them. */
  readonly inputTypes: InputTypes;
}

/** A script whose functions can be run, until it is unloaded. */
export interface LoadedScript extends LoadedProgram {
  /** Parameters of its functions. */
  readonly functions: ReadonlyMap<string, readonly ScriptParameter[]>;
}

/** A model or script and what is known of its runs. */
export interface HostedProgram extends Omit<LaneModel, 'backend'> {
  /** The main thread's; undefined for programs of worker processes. */
  readonly backend: Backend | undefined;
  readonly host: HostName;
  readonly device: string;
  readonly batch: BatchOptions;
  /** It may run on the main thread if it proves cheap. */
  readonly mayRunHere: boolean;
  readonly isQuick: boolean;
  /** It runs in a process of its own, which can be ended: its runs may not end by themselves. */
  isIsolated: boolean;
  pending: number;
  /** Number of values that have it, each of which unloads it once. */
  owners: number;
  unwanted: boolean;
}
