import type { Backends } from './backend.js';
import { OnnxBackend } from './onnx/backend.js';
import { ScriptBackend } from './script/backend.js';

/** Backends that run on the store's own threads. Those of `hosts.ts` beside them are worker processes. */
export const builtInBackends: Backends = {
  ONNX: ({ onnxRuntime }) => new OnnxBackend(onnxRuntime),
  SCRIPT: ({ onnxRuntime }) => new ScriptBackend(onnxRuntime),
};
