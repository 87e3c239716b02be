import type { AiValue } from './values.js';

/**
 * Tensors, models and scripts by their keys. The AI layer knows no more of a store than this: it may be the keyspace of this process, a
 * DAG's own tensors, or the values that came with a request from another store, whose writes go back there.
 *
 * Bytes of tensors and models are in this process; they can be held, pinned and lent.
 */
export interface TensorStore {
  /** The value at the key, undefined if there is none. @throws WrongTypeError if it is of another kind */
  read<Kind extends AiValue['kind']>(key: string, kind: Kind): Extract<AiValue, { kind: Kind }> | undefined;
  /** The value at the key, of whatever kind; Redis's own kinds are told by their names only. */
  get(key: string): AiValue | { readonly kind: 'string' | 'hash' | 'list' } | undefined;
  /** Puts a value at the key, in the place of what is there. */
  set(key: string, value: AiValue): void;
  /** False if there was no such key. */
  delete(key: string): boolean;
}
