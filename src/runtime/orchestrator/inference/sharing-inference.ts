import { createHash } from 'node:crypto';
import { Inference } from './inference.js';
import type { LoadedModel, LoadedProgram, LoadedScript, ModelDefinition, ScriptDefinition } from './programs.js';
import type { ByteSource } from './tensor.js';

/**
 * The AI layer of several servers that have the same models and scripts each, as those of a cluster: what is loaded twice, with the same bytes and
 * options, is there once, and so once in the memory of a GPU. It goes when the last has unloaded it.
 */
export class SharingInference extends Inference {
  readonly #programs = new Map<string, Promise<LoadedProgram>>();
  readonly #keys = new Map<number, string>();

  override load(definition: ModelDefinition): Promise<LoadedModel> {
    return this.#once(definition, () => super.load(definition));
  }

  override loadScript(definition: ScriptDefinition): Promise<LoadedScript> {
    return this.#once(definition, () => super.loadScript(definition));
  }

  override unload(program: LoadedProgram, deleted?: boolean): void {
    super.unload(program, deleted);
    if (this.isLoaded(program)) return;
    this.#programs.delete(this.#keys.get(program.id) ?? '');
    this.#keys.delete(program.id);
  }

  async #once<Program extends LoadedProgram>(
    definition: { readonly bytes: ByteSource },
    load: () => Promise<Program>,
  ): Promise<Program> {
    const { bytes, ...options } = definition;
    const key = keyOf(bytes, options);
    if (key === undefined) return load();
    const known = this.#programs.get(key) as Promise<Program> | undefined;
    if (known === undefined) return this.#first(key, load);
    const program = await known;
    return this.isLoaded(program) ? this.share(program) : this.#once(definition, load);
  }

  async #first<Program extends LoadedProgram>(key: string, load: () => Promise<Program>): Promise<Program> {
    const loading = load();
    this.#programs.set(key, loading);
    try {
      const program = await loading;
      this.#keys.set(program.id, key);
      return program;
    } catch (error) {
      this.#programs.delete(key);
      throw error;
    }
  }
}

/** Text that two programs have in common if they are the same; undefined while the bytes are away. */
function keyOf(bytes: ByteSource, options: object): string | undefined {
  const here = bytes.peek();
  if (here === undefined) return undefined;
  try {
    return `${createHash('sha256').update(here.bytes).digest('hex')} ${JSON.stringify(options)}`;
  } finally {
    here.release();
  }
}
