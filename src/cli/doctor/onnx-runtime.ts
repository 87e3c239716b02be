import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type GpuMaker, gpuMakerNames } from '../../ir/index.js';
import { nvidiaGpus } from '../../runtime/assert/allocation.js';
import { hasCuda } from '../../runtime/orchestrator/inference/onnx/devices-here.js';
import { loadOnnxRuntime, warmUp } from '../../runtime/orchestrator/inference/onnx/runtime.js';
import type { Probed } from '../../targets/probe.js';
import { installedOnnxRuntime } from '../installed-onnx-runtime.js';

export interface OnnxRuntimeFacts {
  readonly folder: string | undefined;
  readonly version?: string;
  /** Devices that models can run on. */
  readonly providers: readonly ('CPU' | 'CUDA')[];
  readonly gpus: number;
}

const topic = 'ONNX Runtime';

/** ONNX Runtime of a site's runtime path, else that beside this package, tried with the smallest model; and CUDA, where there are GPUs of its maker's. `gpuMaker` makes those of the site. */
export async function probeOnnxRuntime(
  runtimePath: string | undefined,
  gpuMaker: GpuMaker = 'nvidia',
): Promise<Probed<OnnxRuntimeFacts>> {
  const gpus = nvidiaGpus() ?? 0;
  const ofSite = join(runtimePath ?? '/', 'node_modules/onnxruntime-node');
  const folder = runtimePath !== undefined && existsSync(ofSite) ? ofSite : installedOnnxRuntime();
  if (folder === undefined) {
    const advice =
      'ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node (without the variable where GPUs run models)';
    const message = 'is not installed: stores run ONNX models in Python, if that has onnxruntime';
    return { facts: { folder, providers: [], gpus }, findings: [{ topic, verdict: 'warning', message, advice }] };
  }
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  try {
    await warmUp(loadOnnxRuntime(folder));
  } catch (error) {
    const message = `${version} does not run a model: ${error instanceof Error ? error.message : String(error)}`;
    const advice = `remove ${folder} and install it again, on a machine of this kind`;
    return {
      facts: { folder, version, providers: [], gpus },
      findings: [{ topic, verdict: 'problem', message, advice }],
    };
  }
  const providers = hasCuda(folder) ? (['CPU', 'CUDA'] as const) : (['CPU'] as const);
  const facts = { folder, version, providers, gpus };
  if (gpuMaker !== 'nvidia') {
    const message = `${version} runs models on the CPU; on the site's GPUs, which ${gpuMakerNames[gpuMaker]} makes, they run in Python`;
    const advice = `install ${gpuMaker === 'amd' ? 'onnxruntime-rocm' : 'onnxruntime-openvino'} in the site's Python`;
    return { facts, findings: [{ topic, verdict: 'ok', message, advice }] };
  }
  if (gpus > 0 && !providers.some((one) => one === 'CUDA')) {
    const message = `${version} runs models on the CPU only, and there are ${gpus} GPUs`;
    const advice = 'install it again without ONNXRUNTIME_NODE_INSTALL=skip: it then fetches its CUDA libraries';
    return { facts, findings: [{ topic, verdict: 'warning', message, advice }] };
  }
  return { facts, findings: [{ topic, verdict: 'ok', message: `${version} runs models on ${providers.join(', ')}` }] };
}
