import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** The part of a value's description that is read here. */
export interface OnnxValueMetadata {
  readonly name: string;
  readonly isTensor: boolean;
  /** Element type of a tensor; absent for other values. */
  readonly type?: string;
  /** Sizes of a tensor, names in the place of those that may vary; empty where the rank is not known, too. Absent for other values. */
  readonly shape?: readonly (number | string)[];
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
  readonly inputMetadata: readonly OnnxValueMetadata[];
  readonly outputMetadata: readonly OnnxValueMetadata[];
  run(feeds: Readonly<Record<string, OnnxTensor>>, fetches: readonly string[]): Promise<Record<string, OnnxTensor>>;
  release(): Promise<void>;
}

/** The onnxruntime-node package, as far as it is used here. */
export interface OnnxRuntime {
  readonly env: { logLevel?: string };
  readonly InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OnnxSession>;
  };
  readonly Tensor: new (type: string, data: ArrayBufferView | readonly string[], dims: readonly number[]) => OnnxTensor;
}

/**
 * Official builds of ONNX Runtime report to its makers (1.29 and later, on Linux too): they keep an identifier and a queue below
 * `~/.cache`, look up hosts and try to reach them for as long as the process lives. This keeps them from it, unless the user has
 * set the variable. To be called on the main thread before any thread loads ONNX Runtime: it looks at the environment then, and a
 * worker has a copy only.
 */
export function keepTelemetryOff(): void {
  process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
}

/** Loads onnxruntime-node from a package folder or an entry file, given by an absolute path. */
export function loadOnnxRuntime(path: string): OnnxRuntime {
  keepTelemetryOff();
  const require = createRequire(pathToFileURL(`${path}/`));
  const runtime = require(path) as OnnxRuntime;
  // Its errors reach the clients; what it writes to stderr beside them says nothing more.
  runtime.env.logLevel = 'fatal';
  return runtime;
}

/** The smallest model: y is x, a float. */
const smallestModel = Buffer.from(
  '08083a2f0a100a01781201792208' + // a node with input x and output y …
    '4964656e74697479' + // … called Identity
    '1201675a0b0a017812060a0408011200620b0a017912060a040801120042021011',
  'hex',
);

/** Lets ONNX Runtime do on this thread what it does once, before somebody waits for it. */
export async function warmUp(runtime: OnnxRuntime): Promise<void> {
  const session = await runtime.InferenceSession.create(smallestModel, { intraOpNumThreads: 1 });
  await session.run({ x: new runtime.Tensor('float32', new Float32Array(1), []) }, ['y']);
  await session.release();
}
