import type { Backend, BackendRun, ModelTraits } from '../backend.js';
import { InferenceError } from '../inference-error.js';
import type { ModelInput, ModelNames, SessionSettings } from '../messages.js';
import { onnxFacts } from './facts.js';
import { OnnxModel } from './model.js';
import { keepTelemetryOff, loadOnnxRuntime, type OnnxRuntime, warmUp } from './runtime.js';

/** ONNX Runtime in this process. A run is work of the calling thread. */
export class OnnxBackend implements Backend {
  readonly isApart = false;
  readonly missing: string | undefined;
  readonly #path: string;
  readonly #models = new Map<number, OnnxModel>();
  #runtime: Promise<OnnxRuntime> | undefined;

  /** `path` is the absolute path of the onnxruntime-node package or its entry. */
  constructor(path: string | undefined) {
    this.missing =
      path === undefined ? 'ONNX Runtime (onnxruntime-node) was not found when the orchestrator started' : undefined;
    this.#path = path ?? '';
    keepTelemetryOff();
  }

  async warmUp(): Promise<void> {
    await this.#ready();
  }

  facts(model: Uint8Array): Promise<ModelTraits> {
    return onnxFacts(model);
  }

  async load(id: number, model: Uint8Array, settings: SessionSettings): Promise<ModelNames> {
    const loaded = await OnnxModel.load(await this.#ready(), model, settings);
    await this.unload(id);
    this.#models.set(id, loaded);
    return { inputs: [...loaded.inputs], outputs: [...loaded.outputs], inputTypes: loaded.inputTypes };
  }

  run(id: number, inputs: readonly ModelInput[]): Promise<BackendRun> {
    const model = this.#models.get(id);
    if (model !== undefined) return model.run(inputs);
    return Promise.reject(new InferenceError('failed', 'the model is not loaded on this thread'));
  }

  async unload(id: number): Promise<void> {
    const model = this.#models.get(id);
    this.#models.delete(id);
    await model?.release();
  }

  /** ONNX Runtime frees its sessions with their thread. */
  async close(): Promise<void> {
    this.#models.clear();
  }

  /** The runtime, which is loaded once; after a failure it is tried again. */
  #ready(): Promise<OnnxRuntime> {
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
