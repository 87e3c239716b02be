import { ClientError } from './client-error.js';

/** Kinds of things whose keys can carry a prefix. */
export type PrefixedKind = 'tensor' | 'dataset' | 'list' | 'model';

/** Turns names into keys: `SSKEYOUT` before what is written, the current data source before what is read. What a cluster adds comes later. */
export class KeyNames {
  readonly #sources: readonly string[];
  readonly #out: string | undefined;
  readonly #prefixed: Record<PrefixedKind, boolean> = { tensor: true, dataset: true, list: true, model: false };
  #source: string | undefined;

  constructor(sources: readonly string[], out: string | undefined) {
    this.#sources = sources;
    this.#out = out;
    this.#source = sources[0];
  }

  /** @throws ClientError if the source is not one of `SSKEYIN` */
  setSource(name: string): void {
    if (!this.#sources.includes(name)) {
      const known = this.#sources.length === 0 ? 'SSKEYIN names none' : `SSKEYIN names ${this.#sources.join(', ')}`;
      throw new ClientError(`'${name}' is no data source of this client: ${known}`);
    }
    this.#source = name;
  }

  usePrefix(kind: PrefixedKind, on: boolean): void {
    this.#prefixed[kind] = on;
  }

  written(kind: PrefixedKind, name: string): string {
    return this.#key(kind, this.#out, name);
  }

  read(kind: PrefixedKind, name: string): string {
    return this.#key(kind, this.#source, name);
  }

  #key(kind: PrefixedKind, prefix: string | undefined, name: string): string {
    return prefix !== undefined && this.#prefixed[kind] ? `${prefix}.${name}` : name;
  }
}
