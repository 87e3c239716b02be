import { MalformedError, TooLargeError } from './errors.js';
import { cutShort, type Reader, text } from './reader.js';

/*
 * Protobuf messages read field by field: from a file without what is not asked for, or from memory.
 */

/**
 * A field of a message: its number where it is one (wire type 0, the low bits only beyond 2^53), or the range of its bytes (wire type 2).
 * `at` is where its tag starts.
 */
export interface Field {
  readonly number: number;
  readonly wire: number;
  readonly value: number;
  readonly at: number;
  readonly start: number;
  readonly end: number;
}

/** Reason for bytes that are no message. */
const noMessage = 'it is not in the protobuf format';

/** Fields of the message between two places. @throws MalformedError if it is no protobuf, TooLargeError after {@link Reader.fieldsLeft} */
export function* fields(reader: Reader, start: number, end: number): Generator<Field, void> {
  let at = start;
  while (at < end) {
    const [longTag, afterTag] = varint(reader, at, end);
    // As protobuf reads it, lest one message be two: 32 bits of at most five bytes.
    if (afterTag - at > 5) throw new MalformedError(noMessage);
    const tag = longTag % 2 ** 32;
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    if (number === 0) throw new MalformedError(noMessage);
    let value = 0;
    let from = afterTag;
    let to = afterTag;
    if (wire === 0) [value, to] = varint(reader, afterTag, end);
    else if (wire === 1) to = afterTag + 8;
    else if (wire === 5) to = afterTag + 4;
    else if (wire === 2) {
      let length: number;
      [length, from] = varint(reader, afterTag, end);
      to = from + length;
    } else throw new MalformedError(noMessage);
    if (to > end) throw new MalformedError(`${cutShort}, or not in the protobuf format`);
    reader.fieldsLeft -= 1;
    if (reader.fieldsLeft < 0) throw new TooLargeError();
    yield { number, wire, value, at, start: from, end: to };
    at = to;
  }
}

/** The fields of that number that hold bytes, such as messages. */
export function* inner(
  reader: Reader,
  { start, end }: Pick<Field, 'start' | 'end'>,
  number: number,
): Generator<Field, void> {
  for (const field of fields(reader, start, end)) if (field.number === number && field.wire === 2) yield field;
}

/** The text of the first field of that number; empty without one. */
export function textField(reader: Reader, parent: Pick<Field, 'start' | 'end'>, number: number): string {
  for (const field of inner(reader, parent, number)) return text(reader, field.start, field.end);
  return '';
}

/** A varint and where it ends. */
export function varint(reader: Reader, start: number, end: number): [value: number, next: number] {
  let value = 0;
  let scale = 1;
  for (let at = start; at < end && at < start + 10; at++) {
    const byte = reader.byte(at);
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 0x80) return [value, at + 1];
  }
  throw new MalformedError(end - start < 10 ? `${cutShort}, or not in the protobuf format` : noMessage);
}
