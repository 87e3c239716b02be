export type { BatchOptions } from './batching.js';
export { devicesHere } from './devices.js';
export {
  defaultRunLimitMs,
  Inference,
  type InferenceOptions,
  type LoadedModel,
  type ModelDefinition,
} from './inference.js';
export { InferenceError } from './inference-error.js';
export type { RunResult } from './inference-thread.js';
export { onnxRuntimeVersion } from './onnx-runtime-version.js';
export { QueueTimeoutError } from './queue-timeout-error.js';
export type { ByteSource, Loan, ResultTensor, TensorSource } from './tensor.js';
