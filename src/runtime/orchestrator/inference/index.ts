export type { Backends } from './backend.js';
export type { BatchOptions } from './batching.js';
export { defaultRunLimitMs } from './device-pools.js';
export {
  Inference,
  type InferenceOptions,
  type LoadedModel,
  type ModelDefinition,
} from './inference.js';
export { InferenceError, type InferenceProblem } from './inference-error.js';
export type { RunResult } from './inference-thread.js';
export type { InputType, InputTypes } from './input-type.js';
export { devicesHere, gpusHere } from './onnx/devices-here.js';
export { onnxRuntimeVersion } from './onnx/runtime-version.js';
export type { ByteSource, Loan, ResultTensor, TensorSource } from './tensor.js';
