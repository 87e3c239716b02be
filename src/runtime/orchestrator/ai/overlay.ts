import { copyOf } from '../bytes/copy.js';
import type { TensorStore } from './tensor-store.js';
import type { AiValue, TensorValue } from './values.js';

/** Memory of a tensor beside its bytes and its key. */
const overheadBytes = 384;

/** Tensors of their own over a store, whose models and scripts are found through them. */
export class Overlay implements TensorStore {
  readonly #under: TensorStore;
  readonly #tensors = new Map<string, TensorValue>();
  /** Tensors that are the store's, too: not to be freed from here. */
  readonly #shared = new Set<TensorValue>();
  readonly #borrowed = new Map<string, TensorValue>();
  #usedBytes = 0;

  constructor(under: TensorStore) {
    this.#under = under;
  }

  /** Memory that the tensors take. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  read<Kind extends AiValue['kind']>(key: string, kind: Kind): Extract<AiValue, { kind: Kind }> | undefined {
    if (kind !== 'tensor') return this.#under.read(key, kind);
    return this.#tensors.get(key) as Extract<AiValue, { kind: Kind }> | undefined;
  }

  get(key: string): TensorValue | undefined {
    return this.#tensors.get(key);
  }

  set(key: string, value: AiValue): void {
    if (value.kind !== 'tensor') throw new Error('a DAG stores tensors only');
    if (this.#tensors.get(key) === value) return;
    this.delete(key);
    this.#tensors.set(key, value);
    this.#usedBytes += bytesOf(key, value);
  }

  delete(key: string): boolean {
    const tensor = this.#tensors.get(key);
    if (tensor === undefined) return false;
    this.#tensors.delete(key);
    this.#usedBytes -= bytesOf(key, tensor);
    if (!this.#shared.has(tensor)) tensor.bytes.discard();
    return true;
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
    for (const key of [...this.#tensors.keys()]) this.delete(key);
    for (const { bytes } of this.#borrowed.values()) bytes.letGo();
    this.#borrowed.clear();
  }

  async #toPersist(key: string): Promise<TensorValue | undefined> {
    const value = this.#tensors.get(key);
    if (value === undefined || !this.#shared.has(value) || this.#under.get(key) === value) return value;
    // The store has given the borrowed one up meanwhile.
    return { ...value, bytes: await copyOf(value.bytes) };
  }
}

function bytesOf(key: string, { shape, bytes }: TensorValue): number {
  return bytes.byteLength + 8 * shape.length + key.length + overheadBytes;
}
