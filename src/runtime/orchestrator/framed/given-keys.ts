import type { Given } from './frame-reader.js';
import type { Program } from './known-programs.js';

/** The keys that came with a request, for commands that look through all of them. */
export class GivenKeys {
  readonly #words: readonly Buffer[];
  readonly #given: readonly Given[];
  readonly #programs: readonly (Program | undefined)[];
  #byKey: ReadonlyMap<string, Program | undefined> | undefined;

  constructor(words: readonly Buffer[], given: readonly Given[], programs: readonly (Program | undefined)[]) {
    this.#words = words;
    this.#given = given;
    this.#programs = programs;
  }

  keys(): Iterator<string> {
    return this.#found().keys();
  }

  peek(key: string): { readonly value: Program } | undefined {
    const value = this.#found().get(key);
    return value && { value };
  }

  /** Made when somebody asks: few do. */
  #found(): ReadonlyMap<string, Program | undefined> {
    this.#byKey ??= new Map(
      this.#given.map(({ word }, index) => [this.#words[word]?.toString('latin1') ?? '', this.#programs[index]]),
    );
    return this.#byKey;
  }
}
