import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BackendName } from '../../../src/ml/backends.js';
import { ModelFileError, type ModelHeader, readModelHeader } from '../../../src/model-files/index.js';

/** The folder of models that `make.py` has made. */
export const models = fileURLToPath(new URL('../models', import.meta.url));

/** The backend that a model's ending tells. */
export function backendOf(file: string): BackendName {
  if (/\.pt2?$/.test(file)) return 'TORCH';
  if (file.endsWith('.onnx')) return 'ONNX';
  return file.endsWith('.tflite') ? 'TFLITE' : 'TF';
}

/** Files of models in a folder, in the order of their names. */
export function modelsIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => /\.(pt2?|pb|pbtxt|zip|tflite|onnx)$/.test(file))
    .sort();
}

/** The header of a model, or the kind and text of its refusal. */
export function readOrRefuse(source: string | Uint8Array, backend: BackendName): ModelHeader | string {
  try {
    return readModelHeader(source, backend);
  } catch (error) {
    if (error instanceof ModelFileError) return `${error.kind}: ${error.message}`;
    throw error;
  }
}

/** Headers of all models of a folder. */
export function readAll(folder: string): Record<string, ModelHeader | string> {
  return Object.fromEntries(modelsIn(folder).map((file) => [file, readOrRefuse(join(folder, file), backendOf(file))]));
}
