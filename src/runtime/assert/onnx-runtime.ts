import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Problem, WorkflowError } from '../../diagnostics/index.js';
import type { Plan, Store } from '../../ir/index.js';
import { standIn } from '../../ml/devices.js';
import { hasCuda } from '../orchestrator/inference/onnx/devices-here.js';
import { parseDeviceMap } from '../store/device-map.js';
import { findOnnxRuntime } from './find-onnx-runtime.js';

/** Folder of the package's native libraries for Linux on x86-64: its version of the interface to Node.js differs between releases. */
function nativeFolder(folder: string): string {
  const bin = join(folder, 'bin');
  const interfaces = existsSync(bin) ? readdirSync(bin).filter((name) => name.startsWith('napi-v')) : [];
  return join(bin, interfaces[0] ?? 'napi-v6', 'linux/x64');
}

/** Checks what a store with ONNX models needs: the package is found, its library loads, and it has CUDA where a model is for a GPU. */
export function checkOnnxRuntime(
  plan: Plan,
  dir: string,
  bundle: string,
  env: NodeJS.ProcessEnv,
  stores: readonly Store[],
): Problem[] {
  const models = stores.flatMap(({ mlModels }) => mlModels.filter(({ backend }) => backend === 'ONNX'));
  if (models.length === 0) return [];
  let folder: string;
  try {
    folder = findOnnxRuntime(plan, dir, bundle, env);
  } catch (error) {
    if (!(error instanceof WorkflowError)) throw error;
    return [...error.problems];
  }
  const problem = whyNotLoaded(folder);
  if (problem !== undefined) return [problem];
  const map = parseDeviceMap(env['SIMWRIGHT_MAP_DEVICE']);
  const onGpu = models.find(({ device }) => standIn(map, device).startsWith('GPU'));
  if (onGpu === undefined || hasCuda(folder)) return [];
  return [
    {
      code: 'RUN1002',
      severity: 'error',
      message: `ML model '${onGpu.name}' is for a GPU, and ONNX Runtime in ${folder} has no CUDA`,
      hint: 'install onnxruntime-node again without ONNXRUNTIME_NODE_INSTALL=skip: it then fetches its CUDA libraries',
    },
  ];
}

/** Why the package's native library cannot be loaded here; undefined when it can. Takes some milliseconds: nothing is run. */
function whyNotLoaded(folder: string): Problem | undefined {
  const binding = join(nativeFolder(folder), 'onnxruntime_binding.node');
  try {
    process.dlopen({ exports: {} }, binding);
    return undefined;
  } catch (error) {
    return {
      code: 'RUN1002',
      severity: 'error',
      message: `ONNX Runtime in ${folder} cannot be loaded here: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'it needs Linux on x86-64 with glibc 2.28 or newer; perhaps it was not copied as a whole',
    };
  }
}
