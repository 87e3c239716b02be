import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Problem } from '../../diagnostics/index.js';
import type { Plan, Store } from '../../ir/index.js';
import { standIn } from '../../ml/devices.js';
import { hasCuda } from '../orchestrator/inference/onnx/devices-here.js';
import { parseDeviceMap } from '../store/device-map.js';
import { lookForOnnxRuntime, onnxRuntimeMissing } from './find-onnx-runtime.js';

const run = promisify(execFile);

/** Longest time that the import of ONNX Runtime may take, in milliseconds: a parallel file system may be slow. */
const askMs = 60_000;

/** Folder of the package's native libraries for Linux on x86-64: its version of the interface to Node.js differs between releases. */
function nativeFolder(folder: string): string {
  const bin = join(folder, 'bin');
  const interfaces = existsSync(bin) ? readdirSync(bin).filter((name) => name.startsWith('napi-v')) : [];
  return join(bin, interfaces[0] ?? 'napi-v6', 'linux/x64');
}

/** Checks what stores with ONNX models need: an ONNX Runtime that loads, and one that runs on GPUs where a model is for a GPU. */
export async function checkOnnxRuntime(
  plan: Plan,
  dir: string,
  bundle: string,
  env: NodeJS.ProcessEnv,
  stores: readonly Store[],
  python: string,
): Promise<Problem[]> {
  const models = stores.flatMap(({ mlModels }) => mlModels.filter(({ backend }) => backend === 'ONNX'));
  if (models.length === 0) return [];
  const folder = lookForOnnxRuntime(plan, dir, bundle, env);
  const unloadable = folder === undefined ? undefined : whyNotLoaded(folder);
  if (unloadable !== undefined) return [unloadable];
  const map = parseDeviceMap(env['SIMWRIGHT_MAP_DEVICE']);
  const onGpu = models.find(({ device }) => standIn(map, device).startsWith('GPU'));
  const isEnough = folder !== undefined && (onGpu === undefined || hasCuda(folder));
  if (isEnough) return [];
  // Workers do what the bundled one cannot: on GPUs of other makers, and where it is not installed.
  const inPython = await onnxRuntimeOf(python);
  if (folder === undefined && inPython === undefined) return [...onnxRuntimeMissing(plan, dir, bundle, env).problems];
  if (onGpu === undefined || inPython?.providers.some((name) => gpuProviders.includes(name)) === true) return [];
  return [noGpu(onGpu.name, folder, python, inPython)];
}

/** Execution providers of ONNX Runtime that run models on GPUs. */
const gpuProviders = [
  'CUDAExecutionProvider',
  'TensorrtExecutionProvider',
  'ROCMExecutionProvider',
  'MIGraphXExecutionProvider',
  'OpenVINOExecutionProvider',
];

function noGpu(model: string, folder: string | undefined, python: string, inPython: InPython | undefined): Problem {
  const bundled = folder === undefined ? 'onnxruntime-node is not installed' : `ONNX Runtime in ${folder} has no CUDA`;
  const other =
    inPython === undefined
      ? `${python} has no onnxruntime`
      : `onnxruntime ${inPython.version} of ${python} has ${inPython.providers.join(', ') || 'no provider'} alone`;
  return {
    code: 'RUN1002',
    severity: 'error',
    message: `ML model '${model}' is for a GPU, and ${bundled}, and ${other}`,
    hint: 'install onnxruntime-gpu, onnxruntime-rocm or onnxruntime-openvino in that Python; or, for CUDA, onnxruntime-node without ONNXRUNTIME_NODE_INSTALL=skip',
  };
}

/** ONNX Runtime as a Python has it. */
interface InPython {
  readonly version: string;
  readonly providers: readonly string[];
}

const askProviders =
  'import json, onnxruntime as o; print(json.dumps({"version": o.__version__, "providers": o.get_available_providers()}))';

/** Asks a Python for its ONNX Runtime, which has to be imported for that; undefined where there is none, or none that works. */
async function onnxRuntimeOf(python: string): Promise<InPython | undefined> {
  try {
    const { stdout } = await run(python, ['-B', '-c', askProviders], { cwd: '/', timeout: askMs });
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as InPython;
  } catch {
    return undefined;
  }
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
