import { backends } from '../../../ml/backends.js';
import { parseDevice } from '../../../ml/devices.js';
import { type ModelValue, newStatistics, type ScriptValue } from '../ai/values.js';
import { LendableBytes } from '../bytes/lendable-bytes.js';
import type { Inference, LoadedModel, LoadedScript } from '../inference/index.js';
import type { Given } from './frame-reader.js';
import { modelProperties, scriptProperties } from './properties.js';

/** A model or script. */
export type Program = ModelValue | ScriptValue;

/** Models and scripts that the server has sent or stored, by the numbers that it knows them by. */
export class KnownPrograms {
  readonly #inference: Inference;
  readonly #programs = new Map<bigint, Program | Promise<Program>>();
  readonly #keys = new Map<bigint, string>();

  constructor(inference: Inference) {
    this.#inference = inference;
  }

  /** Number of those that are loaded or being loaded. */
  get size(): number {
    return this.#programs.size;
  }

  /** Has been loaded by a command, and is now stored under that number. */
  add(serial: bigint, program: Program, key: string): void {
    this.#programs.set(serial, program);
    this.#keys.set(serial, key);
  }

  /** Programs that commands have stored, with the keys that they were stored at. */
  *loaded(): Generator<{ readonly key: string; readonly program: Program }, void> {
    for (const [serial, key] of this.#keys) {
      const program = this.#programs.get(serial);
      if (program !== undefined && !(program instanceof Promise)) yield { key, program };
    }
  }

  /** The server has it no longer. */
  forget(serial: bigint): void {
    const program = this.#programs.get(serial);
    this.#programs.delete(serial);
    this.#keys.delete(serial);
    // Runs that have begun go on.
    void Promise.resolve(program).then((known) => {
      if (known !== undefined && !(known.loaded instanceof Unloadable)) this.#inference.unload(known.loaded, false);
    });
  }

  /** The server has gone. */
  forgetAll(): void {
    for (const serial of [...this.#programs.keys()]) this.forget(serial);
  }

  /** The model or script that is given, at once if it has been loaded; undefined if none is. Never rejects. */
  of(given: Given): Program | Promise<Program> | undefined {
    const { kind, part, serial } = given;
    if (kind !== 'model' && kind !== 'script') return undefined;
    if (part === 'known') return this.#programs.get(serial);
    if (part === 'properties') return unloaded(given, new Unloadable(new Error('only its properties were asked for')));
    if (part !== 'whole') return undefined;
    const loading = this.#load(given).then((program) => {
      if (this.#programs.get(serial) === loading) this.#programs.set(serial, program);
      return program;
    });
    this.#programs.set(serial, loading);
    return loading;
  }

  async #load(given: Given): Promise<Program> {
    try {
      return given.kind === 'model' ? await this.#loadModel(given) : await this.#loadScript(given);
    } catch (error) {
      // It can be replaced and deleted, and says what is wrong when it is to run.
      return unloaded(given, new Unloadable(error));
    }
  }

  async #loadModel(given: Given): Promise<ModelValue> {
    const { backend, device, tag, batch, inputs, outputs } = modelProperties(given.properties);
    const bytes = new LendableBytes(given.bytes);
    const names = backends[backend].needsNames && { inputs, outputs };
    const loaded = await this.#inference.load({
      backend,
      device: parseDevice(device) ?? device,
      batch,
      ...names,
      bytes,
    });
    return { kind: 'model', backend, device, tag, batch, bytes, loaded, statistics: newStatistics() };
  }

  async #loadScript(given: Given): Promise<ScriptValue> {
    const { device, tag, entryPoints } = scriptProperties(given.properties);
    const bytes = new LendableBytes(given.bytes);
    const source = Buffer.from(given.bytes);
    const loaded = await this.#inference.loadScript({ device: parseDevice(device) ?? device, bytes });
    return { kind: 'script', device, tag, entryPoints, source, loaded, statistics: newStatistics() };
  }
}

/** Stands for a loaded model or script that could not be loaded: whoever asks for its parts hears why. */
class Unloadable {
  readonly #reason: unknown;

  constructor(reason: unknown) {
    this.#reason = reason;
  }

  get id(): never {
    throw this.#reason;
  }

  get device(): never {
    throw this.#reason;
  }

  get inputs(): never {
    throw this.#reason;
  }

  get outputs(): never {
    throw this.#reason;
  }

  get anyOutputs(): never {
    throw this.#reason;
  }

  get functions(): never {
    throw this.#reason;
  }
}

/** A model or script with its bytes and properties, as far as these can be read. */
function unloaded(given: Given, why: Unloadable): Program {
  const statistics = newStatistics();
  if (given.kind === 'script') {
    const properties = attempt(() => scriptProperties(given.properties)) ?? { device: '', tag: empty, entryPoints: [] };
    const loaded = why as unknown as LoadedScript;
    return { kind: 'script', ...properties, source: given.bytes, loaded, statistics };
  }
  const batch = { batchSize: 0, minBatchSize: 0, minBatchTimeoutMs: 0 };
  const found = attempt(() => modelProperties(given.properties));
  const { backend, device, tag } = found ?? { backend: 'ONNX' as const, device: '', tag: empty };
  const loaded = why as unknown as LoadedModel;
  const bytes = new LendableBytes(given.bytes);
  return { kind: 'model', backend, device, tag, batch: found?.batch ?? batch, bytes, loaded, statistics };
}

const empty = Buffer.alloc(0);

function attempt<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
