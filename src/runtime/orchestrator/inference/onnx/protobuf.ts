/** A field of a protobuf message: its number where it is one (wire type 0), or the range of its bytes (wire type 2). */
export interface Field {
  readonly number: number;
  readonly wire: number;
  /** Low bits only of numbers beyond 2^53. */
  readonly value: number;
  readonly start: number;
  readonly end: number;
}

/** Bytes are no protobuf message. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}

/** The fields of the message in bytes[start, end). @throws MalformedError */
export function* fieldsOf(bytes: Uint8Array, start: number, end: number): Generator<Field, void> {
  let at = start;
  while (at < end) {
    const [longTag, afterTag] = varint(bytes, at, end);
    // As protobuf reads it, lest one message be two: 32 bits of at most five bytes.
    if (afterTag - at > 5) throw new MalformedError("a field's number is too long");
    const tag = longTag % 2 ** 32;
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    let value = 0;
    let from = afterTag;
    let to = afterTag;
    if (wire === 0) [value, to] = varint(bytes, afterTag, end);
    else if (wire === 1) to = afterTag + 8;
    else if (wire === 5) to = afterTag + 4;
    else if (wire === 2) {
      let length: number;
      [length, from] = varint(bytes, afterTag, end);
      to = from + length;
    } else throw new MalformedError(`a field has the wire type ${wire}`);
    if (number === 0 || to > end) throw new MalformedError('a field has no number, or ends too late');
    yield { number, wire, value, start: from, end: to };
    at = to;
  }
}

function varint(bytes: Uint8Array, start: number, end: number): [value: number, next: number] {
  let value = 0;
  let scale = 1;
  for (let at = start; at < end && at < start + 10; at += 1) {
    const byte = bytes[at] as number;
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 0x80) return [value, at + 1];
  }
  throw new MalformedError('a number does not end');
}
