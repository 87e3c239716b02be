import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** The part of a value's description that is read here. */
export interface OnnxValueMetadata {
  readonly name: string;
  readonly isTensor: boolean;
}

/** A tensor of onnxruntime-node. */
export interface OnnxTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: ArrayBufferView | readonly string[];
}

/** A session of onnxruntime-node. */
export interface OnnxSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly outputMetadata: readonly OnnxValueMetadata[];
  run(feeds: Readonly<Record<string, OnnxTensor>>, fetches: readonly string[]): Promise<Record<string, OnnxTensor>>;
  release(): Promise<void>;
}

/** What is used of the onnxruntime-node package. */
export interface OnnxRuntime {
  readonly env: { logLevel?: string };
  readonly InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OnnxSession>;
  };
  readonly Tensor: new (type: string, data: ArrayBufferView | readonly string[], dims: readonly number[]) => OnnxTensor;
}

/** Loads onnxruntime-node from a package folder or an entry file, given by an absolute path. */
export function loadOnnxRuntime(path: string): OnnxRuntime {
  const require = createRequire(pathToFileURL(`${path}/`));
  const runtime = require(path) as OnnxRuntime;
  // Its errors reach the clients; what it writes to stderr beside them says nothing more.
  runtime.env.logLevel = 'fatal';
  return runtime;
}
