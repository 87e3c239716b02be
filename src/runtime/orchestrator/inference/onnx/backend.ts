import type { Backend, BackendRun, ModelTraits } from '../backend.js';
import { InferenceError } from '../inference-error.js';
import type { ModelInput, ModelNames, SessionSettings } from '../messages.js';
import { onnxFacts } from './facts.js';
import { OnnxRuntimeLoader } from './loader.js';
import { OnnxModel } from './model.js';

/** ONNX Runtime in this process. A run is work of the calling thread. */
export class OnnxBackend implements Backend {
  readonly isApart = false;
  readonly missing: string | undefined;
  readonly #loader: OnnxRuntimeLoader;
  readonly #models = new Map<number, OnnxModel>();

  /** `path` is the absolute path of the onnxruntime-node package or its entry. */
  constructor(path: string | undefined) {
    this.#loader = new OnnxRuntimeLoader(path);
    this.missing = this.#loader.missing;
  }

  async warmUp(): Promise<void> {
    await this.#loader.get();
  }

  facts(model: Uint8Array): Promise<ModelTraits> {
    return onnxFacts(model);
  }

  async load(id: number, model: Uint8Array, settings: SessionSettings): Promise<ModelNames> {
    const loaded = await OnnxModel.load(await this.#loader.get(), model, settings);
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
}
