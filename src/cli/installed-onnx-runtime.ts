import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/** Folder of ONNX Runtime beside this package, if it is installed. */
export function installedOnnxRuntime(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  } catch {
    return undefined;
  }
}
