import { WrongTypeError } from '../ai/errors.js';
import type { TensorStore } from '../ai/tensor-store.js';
import type { AiValue, ModelValue, ScriptValue, TensorValue } from '../ai/values.js';
import { LendableBytes } from '../bytes/lendable-bytes.js';
import type { Given } from './frame-reader.js';

/** A change of a key: a value to put there, or its deletion. */
export interface Write {
  /** Index among the keys that the request gave. */
  readonly given: number;
  /** Undefined to delete. */
  readonly value: AiValue | undefined;
}

type Held = AiValue | { readonly kind: 'string' | 'hash' | 'list' };

/** The values that came with a request from a server, whose writes go back there. */
export class RequestValues implements TensorStore {
  readonly #held = new Map<string, Held>();
  readonly #places = new Map<string, number>();
  readonly #writes = new Map<string, Write>();
  readonly #tensors: TensorValue[] = [];

  /** `programs` are the models and scripts among what is given, in its order. */
  constructor(
    words: readonly Buffer[],
    given: readonly Given[],
    programs: readonly (ModelValue | ScriptValue | undefined)[],
  ) {
    for (const [index, one] of given.entries()) {
      const key = words[one.word]?.toString('latin1') ?? '';
      this.#places.set(key, index);
      const value = programs[index] ?? this.#valueOf(one);
      // An input may be an output, too, of which the kind only is given.
      if (value !== undefined && (one.part !== 'kind' || !this.#held.has(key))) this.#held.set(key, value);
    }
  }

  /** Changes, in the order in which they were made first. */
  get writes(): readonly Write[] {
    return [...this.#writes.values()];
  }

  read<Kind extends AiValue['kind']>(key: string, kind: Kind) {
    const value = this.get(key);
    if (value !== undefined && value.kind !== kind) throw new WrongTypeError();
    return value as Extract<AiValue, { kind: Kind }> | undefined;
  }

  get(key: string): Held | undefined {
    const written = this.#writes.get(key);
    return written === undefined ? this.#held.get(key) : written.value;
  }

  set(key: string, value: AiValue): void {
    this.#write(key, value);
  }

  delete(key: string): boolean {
    if (this.get(key) === undefined) return false;
    this.#write(key, undefined);
    return true;
  }

  /** Gives up the memory of what was given: nobody asks for it any more. */
  close(): void {
    for (const { bytes } of this.#tensors) bytes.discard();
  }

  #write(key: string, value: AiValue | undefined): void {
    const given = this.#places.get(key);
    if (given === undefined) throw new Error(`the key '${key}' did not come with the request`);
    this.#writes.set(key, { given, value });
  }

  #valueOf({ kind, dtype, shape, bytes }: Given): Held | undefined {
    switch (kind) {
      case 'nothing':
        return undefined;
      case 'tensor': {
        const tensor: TensorValue = { kind, dtype: dtype ?? 'UINT8', shape, bytes: new LendableBytes(bytes) };
        this.#tensors.push(tensor);
        return tensor;
      }
      case 'model':
      case 'script':
        // No more is known of it, which is enough to refuse it.
        return { kind } as ModelValue | ScriptValue;
      case 'hash':
      case 'list':
        return { kind };
      default:
        return { kind: 'string' };
    }
  }
}
