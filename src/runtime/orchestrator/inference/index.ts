export type { Backends } from './backend.js';
export type { BatchOptions } from './batching.js';
export { defaultRunLimitMs } from './device-pools.js';
export {
  Inference,
  type InferenceOptions,
  type LoadedModel,
  type LoadedScript,
  type ModelDefinition,
  type ScriptDefinition,
} from './inference.js';
export { InferenceError, type InferenceProblem } from './inference-error.js';
export type { InputType, InputTypes } from './input-type.js';
export type { ScriptCall, ScriptParameter } from './messages.js';
export { devicesHere, gpusHere } from './onnx/devices-here.js';
export { onnxRuntimeVersion } from './onnx/runtime-version.js';
export { findPython, lacksFramework, type Probe, probePython, pythonPath, type WorkerFacts } from './python/index.js';
export type { RunResult } from './runner.js';
export type { ByteSource, Loan, ResultTensor, TensorSource } from './tensor.js';
