import type { BackendName } from '../../../ml/backends.js';

/** Kinds of programs: models, and scripts whose functions are run. */
export type ProgramKind = 'model' | 'script';

/**
 * Name of what runs programs: a backend's usual host, `ONNX-WORKER` for ONNX models in a Python process, or `SCRIPT` for scripts
 * without PyTorch.
 */
export type HostName = BackendName | 'ONNX-WORKER' | 'SCRIPT';

/** Host that may run on the store's own threads. */
export type ThreadHost = Exclude<HostName, 'ONNX-WORKER'>;

/** Frameworks of the hosts that are worker processes, where no thread runs their programs. */
export const workerFrameworks: Readonly<Partial<Record<HostName, BackendName>>> = {
  TORCH: 'TORCH',
  TF: 'TF',
  TFLITE: 'TFLITE',
  'ONNX-WORKER': 'ONNX',
};

/** Facts of this node that decide which host runs a program. */
export interface HostsHere {
  /** True if a thread of the store's can run programs of this host. */
  runsOnThread(host: ThreadHost): boolean;
  /** True if the bundled ONNX Runtime runs models on GPUs. */
  readonly hasOnnxGpu: boolean;
  /** True if the Python for workers has the backend's framework. */
  hasFramework(backend: BackendName): Promise<boolean>;
}

/** The host of a program: the one rule for all backends and devices. */
export async function hostFor(
  kind: ProgramKind,
  backend: BackendName,
  device: string,
  here: HostsHere,
): Promise<HostName> {
  if (kind === 'script') {
    return here.runsOnThread('SCRIPT') && !(await here.hasFramework('TORCH')) ? 'SCRIPT' : 'TORCH';
  }
  if (backend !== 'ONNX') return backend;
  if (here.runsOnThread('ONNX') && (here.hasOnnxGpu || !device.startsWith('GPU'))) return 'ONNX';
  return (await here.hasFramework('ONNX')) ? 'ONNX-WORKER' : 'ONNX';
}
