import { copyOf } from './copy.js';
import { Keyspace } from './keyspace.js';
import type { StoredValue, TensorValue, ValueOf } from './values.js';

/** Tensors of their own over a store, whose models and scripts are found through them. */
export class Overlay extends Keyspace {
  readonly #under: Keyspace;
  /** Tensors that are the store's, too: not to be freed from here. */
  readonly #shared: Set<StoredValue>;
  readonly #borrowed = new Map<string, TensorValue>();

  constructor(under: Keyspace) {
    const shared = new Set<StoredValue>();
    super((value) => {
      if (value.kind === 'tensor' && !shared.has(value)) value.bytes.discard();
    });
    this.#under = under;
    this.#shared = shared;
  }

  override read<Kind extends StoredValue['kind']>(key: string, kind: Kind): ValueOf<Kind> | undefined {
    return kind === 'model' || kind === 'script' ? this.#under.read(key, kind) : super.read(key, kind);
  }

  /** Takes a tensor over from the store: here it stays although the store's changes. */
  borrow(key: string, tensor: TensorValue): void {
    if (this.#borrowed.has(key)) return;
    tensor.bytes.hold();
    this.#borrowed.set(key, tensor);
    this.#shared.add(tensor);
    this.set(key, tensor);
  }

  /** Writes tensors through to the store, all at once. */
  async persist(keys: readonly string[]): Promise<void> {
    const values = await Promise.all(keys.map((key) => this.#toPersist(key)));
    for (const key of keys) this.#under.read(key, 'tensor');
    for (const [index, key] of keys.entries()) {
      const value = values[index];
      if (value === undefined || this.#under.get(key) === value) continue;
      this.#shared.add(value);
      this.#under.set(key, value);
    }
  }

  /** Frees everything that has not been written through. */
  close(): void {
    this.clear();
    for (const { bytes } of this.#borrowed.values()) bytes.letGo();
    this.#borrowed.clear();
  }

  async #toPersist(key: string): Promise<TensorValue | undefined> {
    const value = super.read(key, 'tensor');
    if (value === undefined || !this.#shared.has(value) || this.#under.get(key) === value) return value;
    // The store has given the borrowed one up meanwhile.
    return { ...value, bytes: await copyOf(value.bytes) };
  }
}
