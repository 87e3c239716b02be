import { InferenceError } from '../inference-error.js';
import { keepTelemetryOff, loadOnnxRuntime, type OnnxRuntime, warmUp } from './runtime.js';

/** The onnxruntime-node package of a backend, which is loaded when it is first needed. */
export class OnnxRuntimeLoader {
  /** Reason for which it cannot be loaded, undefined if it can. */
  readonly missing: string | undefined;
  readonly #path: string;
  #runtime: Promise<OnnxRuntime> | undefined;

  /** `path` is the absolute path of the onnxruntime-node package or its entry. */
  constructor(path: string | undefined) {
    this.missing =
      path === undefined ? 'ONNX Runtime (onnxruntime-node) was not found when the orchestrator started' : undefined;
    this.#path = path ?? '';
    keepTelemetryOff();
  }

  /** The runtime, which is loaded once; after a failure it is tried again. @throws InferenceError */
  get(): Promise<OnnxRuntime> {
    this.#runtime ??= this.#start().catch((error: unknown) => {
      this.#runtime = undefined;
      throw error;
    });
    return this.#runtime;
  }

  async #start(): Promise<OnnxRuntime> {
    try {
      const runtime = loadOnnxRuntime(this.#path);
      await warmUp(runtime);
      return runtime;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new InferenceError('backend', `ONNX Runtime: ${why}`);
    }
  }
}
