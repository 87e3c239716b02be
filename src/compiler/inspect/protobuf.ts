import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/*
 * Protobuf messages read field by field: from a file without what is not asked for, or from memory.
 */

/** A field of a message: its value (wire type 0), or the range of its bytes (wire type 2). `at` is where its tag starts. */
export interface Field {
  readonly number: number;
  readonly wire: number;
  readonly value: number;
  readonly at: number;
  readonly start: number;
  readonly end: number;
}

/** The text of the first field of that number; empty without one. */
export function textField(reader: Reader, parent: Field, number: number): string {
  for (const field of fields(reader, parent.start, parent.end)) {
    if (field.number === number && field.wire === 2) return reader.text(field.start, field.end);
  }
  return '';
}

/** Fields of the message between two places. @throws Error if it is no protobuf. */
export function* fields(reader: Reader, start: number, end: number): Generator<Field> {
  let at = start;
  while (at < end) {
    const [tag, afterTag] = varint(reader, at, end);
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    if (number === 0) throw new Error('it is not in the ONNX format (protobuf)');
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
    } else throw new Error('it is not in the ONNX format (protobuf)');
    if (to > end) throw new Error('it ends too early: the file is cut short, or not in the ONNX format');
    yield { number, wire, value, at, start: from, end: to };
    at = to;
  }
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
  throw new Error('it is not in the ONNX format (protobuf)');
}

/** Bytes by place. */
export interface Reader {
  readonly size: number;
  byte(at: number): number;
  text(start: number, end: number): string;
  close(): void;
}

export class BytesReader implements Reader {
  readonly size: number;

  constructor(readonly bytes: Uint8Array) {
    this.size = bytes.length;
  }

  byte(at: number): number {
    return this.bytes[at] ?? 0;
  }

  text(start: number, end: number): string {
    return Buffer.from(this.bytes.subarray(start, end)).toString('utf8');
  }

  close(): void {}
}

/** Reads a file through a window of 64 KiB that moves with the position. */
export class FileReader implements Reader {
  readonly size: number;
  readonly #descriptor: number;
  readonly #window = Buffer.alloc(64 * 1024);
  #start = 0;
  #length = 0;

  constructor(path: string) {
    this.#descriptor = openSync(path, 'r');
    this.size = fstatSync(this.#descriptor).size;
  }

  byte(at: number): number {
    if (at < this.#start || at >= this.#start + this.#length) {
      this.#start = at;
      this.#length = readSync(this.#descriptor, this.#window, 0, this.#window.length, at);
    }
    return this.#window[at - this.#start] ?? 0;
  }

  text(start: number, end: number): string {
    const bytes = Buffer.alloc(Math.min(end - start, 4096));
    const length = readSync(this.#descriptor, bytes, 0, bytes.length, start);
    return bytes.toString('utf8', 0, length);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
