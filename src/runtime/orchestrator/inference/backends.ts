import type { Backends } from './backend.js';
import { OnnxBackend } from './onnx/backend.js';

/** The backends of this version. */
export const builtInBackends: Backends = {
  ONNX: ({ onnxRuntime }) => new OnnxBackend(onnxRuntime),
};
