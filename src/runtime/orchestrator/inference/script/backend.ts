import { parseScript, ScriptError } from '../../../../torchscript/index.js';
import type { Backend, BackendRun, ModelTraits } from '../backend.js';
import { InferenceError } from '../inference-error.js';
import type { ModelInput, ModelNames, ScriptCall, SessionSettings } from '../messages.js';
import { OnnxRuntimeLoader } from '../onnx/loader.js';
import { ScriptProgram } from './program.js';

/** Scripts without PyTorch: their functions are compiled to ONNX models, which ONNX Runtime runs in this process. */
export class ScriptBackend implements Backend {
  readonly isApart = false;
  readonly missing: string | undefined;
  readonly #loader: OnnxRuntimeLoader;
  readonly #scripts = new Map<number, ScriptProgram>();

  /** `path` is the absolute path of the onnxruntime-node package or its entry. */
  constructor(path: string | undefined) {
    this.#loader = new OnnxRuntimeLoader(path);
    this.missing = this.#loader.missing;
  }

  async warmUp(): Promise<void> {
    await this.#loader.get();
  }

  /** Its graphs have no loops. To compile one would hold up the calling thread, so runs belong on others. */
  facts(): Promise<ModelTraits> {
    return Promise.resolve({ isUnbounded: false, dependsOnValues: true });
  }

  async load(id: number, source: Uint8Array, settings: SessionSettings): Promise<ModelNames> {
    const runtime = await this.#loader.get();
    try {
      const script = parseScript(Buffer.from(source).toString());
      await this.unload(id);
      this.#scripts.set(id, new ScriptProgram(script, runtime, settings));
      return { inputs: [], outputs: [], functions: Object.fromEntries(script.functions) };
    } catch (error) {
      if (error instanceof ScriptError) throw new InferenceError('model', error.message);
      throw error;
    }
  }

  async run(id: number, inputs: readonly ModelInput[], call?: ScriptCall): Promise<BackendRun> {
    const script = this.#scripts.get(id);
    if (script !== undefined && call !== undefined) return script.run(inputs, call);
    throw new InferenceError('failed', 'the script is not loaded on this thread');
  }

  async unload(id: number): Promise<void> {
    const script = this.#scripts.get(id);
    this.#scripts.delete(id);
    await script?.release();
  }

  /** ONNX Runtime frees its sessions with their thread. */
  async close(): Promise<void> {
    this.#scripts.clear();
  }
}
