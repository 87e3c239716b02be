import type { Dtype } from '../../../ml/dtypes.js';
import type { ProgramKind, ThreadHost } from './hosts.js';
import type { InferenceProblem } from './inference-error.js';
import type { InputTypes } from './input-type.js';

/** Data that an inference thread is started with. */
export interface InferenceWorkerData {
  readonly simwright: 'inference';
  readonly host: ThreadHost;
  /** Absolute path of the onnxruntime-node package or its entry. */
  readonly onnxRuntime: string | undefined;
  readonly busyPollMicros: number;
  /** Module to run in a process of its own, which does what the thread is asked for. */
  readonly isolated?: string;
}

/** Options of a program's session. Thread counts of 0 leave the choice to the framework. */
export interface SessionSettings {
  readonly kind: ProgramKind;
  /** `CPU`, `CPU:n`, `GPU`, `GPU:n`. */
  readonly device: string;
  readonly intraOpThreads: number;
  readonly interOpThreads: number;
  /** Names of the inputs and outputs, for models that do not know theirs. */
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
}

/** A function of a script to run. */
export interface ScriptCall {
  readonly fn: string;
  /** True if it takes (tensors, keys, args), as entry points do. */
  readonly isEntryPoint: boolean;
  readonly keys: readonly string[];
  readonly args: readonly string[];
  /** Number of tensors that it has to return. */
  readonly outputs: number;
}

/** A parameter of a script's function; its type as TorchScript spells it: `Tensor`, `List[Tensor]`. */
export interface ScriptParameter {
  readonly name: string;
  readonly type: string;
}

/** Facts of a program that are known once it is loaded. Names are in the program's order. */
export interface ModelNames {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** True if only a run tells how many outputs there are. */
  readonly anyOutputs?: boolean;
  /** Types of a model's inputs, where it tells them. */
  readonly inputTypes?: InputTypes;
  /** Parameters of a script's functions. */
  readonly functions?: Readonly<Record<string, readonly ScriptParameter[]>>;
}

/** Bytes on their way to the thread. */
export interface InputPart {
  readonly buffer: ArrayBuffer;
  /** Somebody waits for these bytes: they come back as soon as may be. */
  readonly missed: boolean;
}

/** An input on its way to the thread: its parts one after the other. */
export interface InputMessage {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly parts: readonly InputPart[];
}

/** An input as a model takes it. */
export interface ModelInput {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly buffer: ArrayBuffer;
}

/** An output on its way back. */
export interface OutputMessage {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly buffer: ArrayBuffer;
}

/** Requests to the thread. `id` numbers them. */
export type InferenceRequest =
  /** To end once what was asked before is done. */
  | { readonly kind: 'close' }
  | {
      readonly kind: 'load';
      readonly id: number;
      readonly model: number;
      readonly buffer: ArrayBuffer;
      readonly settings: SessionSettings;
    }
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly model: number;
      readonly inputs: readonly InputMessage[];
      /** Sizes of the requests that are run together, in order. */
      readonly sizes: readonly number[];
      readonly call?: ScriptCall | undefined;
    }
  | { readonly kind: 'unload'; readonly model: number };

/** Answers of the thread. Borrowed buffers come back with the answer, or earlier in `returned`. */
export type InferenceAnswer =
  | {
      readonly kind: 'loaded';
      readonly id: number;
      readonly facts: ModelNames;
      readonly micros: number;
      readonly buffers: readonly ArrayBuffer[];
    }
  | {
      readonly kind: 'ran';
      readonly id: number;
      /** For each request, or for all as one, its outputs in the model's order; null for an output that is no tensor. */
      readonly outputs: readonly (readonly (OutputMessage | null)[])[];
      readonly micros: number;
      readonly buffers: readonly ArrayBuffer[];
      /** Buffers that nobody misses: they may be used again. */
      readonly spare: readonly ArrayBuffer[];
    }
  | {
      readonly kind: 'failed';
      readonly id: number;
      readonly problem: InferenceProblem;
      readonly message: string;
      readonly buffers: readonly ArrayBuffer[];
    }
  | { readonly kind: 'returned'; readonly id: number; readonly buffers: readonly ArrayBuffer[] };

/** The buffers of inputs that somebody waits for, each once. */
export function stillLent(inputs: readonly InputMessage[]): ArrayBuffer[] {
  const lent = new Set<ArrayBuffer>();
  for (const { parts } of inputs) {
    for (const { buffer, missed } of parts) if (missed && buffer.byteLength > 0) lent.add(buffer);
  }
  return [...lent];
}
