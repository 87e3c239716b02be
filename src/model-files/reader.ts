import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { MalformedError, TooLargeError } from './errors.js';

/** Bytes by place: of a file, or in memory. Nothing is read but what is asked for. */
export interface Reader {
  readonly size: number;
  /** Number of fields that may yet be looked at: a hostile file may have as many as it has bytes. */
  fieldsLeft: number;
  /** One byte; 0 beyond the end. */
  byte(at: number): number;
  /** A copy of the bytes between two places. @throws MalformedError if they lie outside, TooLargeError if they are more than {@link mostAtOnce} */
  bytes(start: number, end: number): Buffer;
  close(): void;
}

/** Most bytes that are read at once: headers are smaller. */
export const mostAtOnce = 64 * 1024 * 1024;

/** Most fields of a header, which take a second or two; graphs of a hundred thousand nodes have fewer. */
const mostFields = 20_000_000;

/** A reader of the header of a file or of bytes, while `use` runs. */
export function withReader<Result>(source: string | Uint8Array, use: (reader: Reader) => Result): Result {
  const reader = typeof source === 'string' ? new FileReader(source) : new BytesReader(source);
  reader.fieldsLeft = mostFields;
  try {
    return use(reader);
  } finally {
    reader.close();
  }
}

/** Text between two places, cut after 4 KiB: names are shorter. */
export function text(reader: Reader, start: number, end: number): string {
  return reader.bytes(start, Math.min(end, start + 4096)).toString('utf8');
}

/** A number of up to 6 bytes, lowest byte first. */
export function uint(reader: Reader, at: number, bytes: number): number {
  let value = 0;
  for (let place = bytes - 1; place >= 0; place -= 1) value = value * 256 + reader.byte(at + place);
  return value;
}

/** True if the bytes at a place are those of a text. */
export function hasAt(reader: Reader, at: number, latin: string): boolean {
  if (at + latin.length > reader.size) return false;
  for (let place = 0; place < latin.length; place += 1) {
    if (reader.byte(at + place) !== latin.charCodeAt(place)) return false;
  }
  return true;
}

export class BytesReader implements Reader {
  readonly size: number;
  fieldsLeft = Number.POSITIVE_INFINITY;

  constructor(readonly source: Uint8Array) {
    this.size = source.length;
  }

  byte(at: number): number {
    return this.source[at] ?? 0;
  }

  bytes(start: number, end: number): Buffer {
    assertRange(this, start, end);
    return Buffer.from(this.source.subarray(start, end));
  }

  close(): void {}
}

/** Reads a file through a window that moves with the position. */
export class FileReader implements Reader {
  readonly size: number;
  fieldsLeft = Number.POSITIVE_INFINITY;
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
      if (at < 0 || at >= this.size) return 0;
      this.#start = at;
      this.#length = readSync(this.#descriptor, this.#window, 0, this.#window.length, at);
    }
    return this.#window[at - this.#start] ?? 0;
  }

  bytes(start: number, end: number): Buffer {
    assertRange(this, start, end);
    const from = start - this.#start;
    if (from >= 0 && end - this.#start <= this.#length) {
      return Buffer.from(this.#window.subarray(from, from + end - start));
    }
    const bytes = Buffer.alloc(end - start);
    const length = readSync(this.#descriptor, bytes, 0, bytes.length, start);
    if (length < bytes.length) throw new MalformedError(cutShort);
    return bytes;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Reason for a file whose end is missing. */
export const cutShort = 'it ends too early: the file is cut short';

function assertRange({ size }: Reader, start: number, end: number): void {
  if (start < 0 || end < start || end > size) throw new MalformedError(cutShort);
  if (end - start > mostAtOnce) throw new TooLargeError();
}
