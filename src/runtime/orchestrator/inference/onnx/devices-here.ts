import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Library that onnxruntime-node has beside its own where models can run on GPUs. */
const cudaLibrary = 'libonnxruntime_providers_cuda.so';

/**
 * The devices that models can run on here: `CPU`, and the GPUs of this machine if ONNX Runtime has what it needs for
 * them. `onnxRuntime` is the absolute path of the onnxruntime-node package.
 */
export function devicesHere(onnxRuntime: string | undefined): string[] {
  if (onnxRuntime === undefined) return [];
  const gpus = hasCuda(onnxRuntime) ? gpuNumbers().map((number) => `GPU:${number}`) : [];
  return ['CPU', ...gpus];
}

/** True if onnxruntime-node, in this folder, has its CUDA provider beside it. */
export function hasCuda(onnxRuntime: string): boolean {
  return namesIn(join(onnxRuntime, 'bin')).some((version) =>
    existsSync(join(onnxRuntime, 'bin', version, process.platform, process.arch, cudaLibrary)),
  );
}

/**
 * Numbers of this machine's GPUs, whoever makes them, as far as its device files tell: workers may run models on GPUs that the bundled ONNX
 * Runtime cannot use.
 */
export function gpusHere(): number[] {
  const nvidia = gpuNumbers();
  if (nvidia.length > 0) return nvidia;
  return namesIn('/dev/dri')
    .filter((name) => /^renderD\d+$/.test(name))
    .map((_, index) => index);
}

function gpuNumbers(): number[] {
  return namesIn('/dev')
    .flatMap((name) => /^nvidia(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((one, other) => one - other);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
