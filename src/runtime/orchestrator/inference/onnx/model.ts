import { performance } from 'node:perf_hooks';
import type { BackendRun } from '../backend.js';
import { InferenceError } from '../inference-error.js';
import type { InputTypes } from '../input-type.js';
import type { ModelInput, OutputMessage, SessionSettings } from '../messages.js';
import type { OnnxRuntime, OnnxSession, OnnxTensor } from './runtime.js';
import { fromOnnx, inputTypeOf, toOnnx } from './tensors.js';

/** An ONNX model with its session, on the thread that made it. Running is synchronous work on that thread. */
export class OnnxModel {
  readonly #runtime: OnnxRuntime;
  readonly #session: OnnxSession;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly inputTypes: InputTypes;
  /** Names of the outputs that are tensors: asking for others makes the binding throw. */
  readonly #fetches: readonly string[];

  private constructor(runtime: OnnxRuntime, session: OnnxSession) {
    this.#runtime = runtime;
    this.#session = session;
    this.inputs = session.inputNames;
    this.outputs = session.outputNames;
    this.inputTypes = session.inputMetadata.map(inputTypeOf);
    this.#fetches = session.outputMetadata.filter(({ isTensor }) => isTensor).map(({ name }) => name);
  }

  /** @throws InferenceError with ONNX Runtime's text */
  static async load(runtime: OnnxRuntime, model: Uint8Array, settings: SessionSettings): Promise<OnnxModel> {
    try {
      const session = await runtime.InferenceSession.create(model, sessionOptions(settings));
      return new OnnxModel(runtime, session);
    } catch (error) {
      const message = messageOf(error);
      if (settings.device.startsWith('GPU') && /cuda|provider|backend not found/i.test(message)) {
        throw new InferenceError('no-gpu', "ONNX couldn't find CUDA");
      }
      throw new InferenceError('model', message);
    }
  }

  /** Runs with inputs in the model's order. @throws InferenceError with ONNX Runtime's text */
  async run(inputs: readonly ModelInput[]): Promise<BackendRun> {
    try {
      const feeds: Record<string, OnnxTensor> = {};
      for (const [index, input] of inputs.entries()) feeds[this.inputs[index] ?? ''] = toOnnx(this.#runtime, input);
      // The binding runs in an immediate; this one comes right before it, so that only the run is measured.
      let started = performance.now();
      setImmediate(() => {
        started = performance.now();
      });
      const results = await this.#session.run(feeds, this.#fetches);
      const micros = Math.round((performance.now() - started) * 1000);
      const outputs: (OutputMessage | null)[] = [];
      for (const name of this.outputs) {
        const result = results[name];
        outputs.push(result === undefined ? null : fromOnnx(name, result));
      }
      return { outputs, micros };
    } catch (error) {
      throw error instanceof InferenceError ? error : new InferenceError('model', messageOf(error));
    }
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

function sessionOptions(settings: SessionSettings): Readonly<Record<string, unknown>> {
  const [kind, number] = settings.device.split(':');
  return {
    executionProviders: kind === 'GPU' ? [{ name: 'cuda', deviceId: Number(number ?? 0) }, 'cpu'] : ['cpu'],
    executionMode: settings.interOpThreads > 1 ? 'parallel' : 'sequential',
    logSeverityLevel: 4,
    ...(settings.intraOpThreads > 0 && { intraOpNumThreads: settings.intraOpThreads }),
    ...(settings.interOpThreads > 0 && { interOpNumThreads: settings.interOpThreads }),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
