import {
  compileFunction,
  isTensorDtype,
  ResultError,
  type Script,
  ScriptError,
  type ValueType,
  zeroDivisionNode,
} from '../../../../torchscript/index.js';
import type { BackendRun } from '../backend.js';
import { InferenceError } from '../inference-error.js';
import type { ModelInput, ScriptCall, SessionSettings } from '../messages.js';
import { OnnxModel } from '../onnx/model.js';
import type { OnnxRuntime } from '../onnx/runtime.js';

/** Compiled functions that a script keeps at most: one for each types and shapes of inputs that it is called with. */
const maxSessions = 64;

/** A script on the thread that runs it, with the functions that have been compiled for inputs of some types and shapes. */
export class ScriptProgram {
  readonly #script: Script;
  readonly #runtime: OnnxRuntime;
  readonly #settings: SessionSettings;
  /** The least recently used first. */
  readonly #sessions = new Map<string, OnnxModel>();

  constructor(script: Script, runtime: OnnxRuntime, settings: SessionSettings) {
    this.#script = script;
    this.#runtime = runtime;
    this.#settings = settings;
  }

  /** Runs a function, which is compiled at the first call with inputs like these. @throws InferenceError */
  async run(inputs: readonly ModelInput[], call: ScriptCall): Promise<BackendRun> {
    const model = await this.#sessionFor(inputs, call);
    try {
      return await model.run(inputs);
    } catch (error) {
      if (error instanceof InferenceError && error.message.includes(zeroDivisionNode)) {
        throw new InferenceError('model', 'ZeroDivisionError');
      }
      throw error;
    }
  }

  /** Frees all sessions. */
  async release(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    await Promise.all(sessions.map((session) => session.release()));
  }

  async #sessionFor(inputs: readonly ModelInput[], call: ScriptCall): Promise<OnnxModel> {
    const { fn, isEntryPoint, keys, args, outputs } = call;
    const words = isEntryPoint ? [keys, args] : [];
    const types = inputs.map(({ dtype, shape }) => `${dtype}${shape.join()}`);
    const name = JSON.stringify([fn, outputs, types, ...words]);
    const known = this.#sessions.get(name);
    if (known !== undefined) {
      this.#sessions.delete(name);
      this.#sessions.set(name, known);
      return known;
    }
    const bytes = this.#compile(inputs, call);
    const session = await OnnxModel.load(this.#runtime, bytes, this.#settings);
    this.#sessions.set(name, session);
    const [oldest] = this.#sessions;
    if (this.#sessions.size > maxSessions && oldest !== undefined) {
      this.#sessions.delete(oldest[0]);
      await oldest[1].release();
    }
    return session;
  }

  #compile(inputs: readonly ModelInput[], { fn, isEntryPoint, keys, args, outputs }: ScriptCall): Uint8Array {
    const types = inputs.map(typeOf);
    try {
      return compileFunction(this.#script, { name: fn, isEntryPoint, keys, args, outputs, inputs: types });
    } catch (error) {
      if (error instanceof ScriptError || error instanceof ResultError) {
        throw new InferenceError('model', error.message);
      }
      throw error;
    }
  }
}

/** @throws InferenceError, worded as PyTorch's host does, for elements that PyTorch has no type for */
function typeOf({ dtype, shape }: ModelInput): ValueType {
  if (isTensorDtype(dtype)) return { dtype, shape };
  throw new InferenceError(
    'model',
    dtype === 'UINT16' ? 'Unsupported kUInt bits 16' : `Unsupported data type ${dtype}`,
  );
}
