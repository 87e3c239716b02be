import type { StoredValue } from './values.js';

/** Memory of a field of a hash or a member of a list beside its bytes. */
export const itemOverheadBytes = 288;

/** Bytes that a buffer of its own takes beside what is in it, with what looks after it. Measured, as all of these. */
const bytesOverheadBytes = 320;

/** Bytes a value takes, with its share of bookkeeping. Walks hashes and lists. */
export function sizeOf(value: StoredValue): number {
  switch (value.kind) {
    case 'tensor':
    case 'model':
      return value.bytes.byteLength + bytesOverheadBytes;
    case 'script':
      return value.source.length + 256;
    case 'string':
      return value.bytes.byteLength + bytesOverheadBytes;
    case 'hash': {
      let bytes = 128;
      for (const [field, content] of value.fields) bytes += field.length + content.length + itemOverheadBytes;
      return bytes;
    }
    case 'list':
      return value.members.reduce((bytes, member) => bytes + member.length + itemOverheadBytes, 128);
  }
}
