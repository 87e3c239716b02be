export { checkScript, parseScript, type Script, type ScriptParameter } from './check.js';
export { compileFunction, type FunctionCall, ResultError } from './compile.js';
export type { ValueType } from './onnx/graph.js';
export { isTensorDtype, type TensorDtype } from './onnx/tensor-types.js';
export { describe, ScriptError, type ScriptProblem } from './problem.js';
export { zeroDivisionNode } from './tensors/arithmetic.js';
