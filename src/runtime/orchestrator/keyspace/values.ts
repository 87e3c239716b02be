import type { AiValue } from '../ai/values.js';
import type { LendableBytes } from '../bytes/lendable-bytes.js';

/** A hash; fields by their bytes, read as Latin-1. */
export interface HashValue {
  readonly kind: 'hash';
  readonly fields: Map<string, Buffer>;
}

/** A list. */
export interface ListValue {
  readonly kind: 'list';
  readonly members: Buffer[];
}

/** A plain string; its bytes are never lent. */
export interface StringValue {
  readonly kind: 'string';
  readonly bytes: LendableBytes;
}

/** Whatever a key can hold. */
export type StoredValue = AiValue | HashValue | ListValue | StringValue;

/** A value of one kind. */
export type ValueOf<Kind extends StoredValue['kind']> = Extract<StoredValue, { kind: Kind }>;

/** Answers of `TYPE`. */
export const typeNames: Readonly<Record<StoredValue['kind'], string>> = {
  tensor: 'AI_TENSOR',
  model: 'AI__MODEL',
  script: 'AI_SCRIPT',
  hash: 'hash',
  list: 'list',
  string: 'string',
};
