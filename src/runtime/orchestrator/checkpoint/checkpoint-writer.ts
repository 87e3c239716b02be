import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { Fingerprint } from './record.js';

const pieceBytes = 1024 * 1024;
/** So much of many small values is gathered in one turn of the event loop. */
const turnBytes = 64 * 1024;

/** Writes a file of numbers and bytes with their checksum. Only {@link flush} and {@link large} reach the file. */
export class CheckpointWriter {
  readonly #file: FileHandle;
  readonly #piece = Buffer.allocUnsafeSlow(pieceBytes);
  #parts: Buffer[] = [];
  #partBytes = 0;
  #end = 0;
  #crc = 0;
  #bytes = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** True if it is time to {@link flush}. */
  get isFull(): boolean {
    return this.#partBytes + this.#end >= turnBytes;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#end = this.#piece.writeUInt8(value, this.#end);
  }

  number(value: number): void {
    this.#reserve(8);
    this.#end = this.#piece.writeDoubleLE(value, this.#end);
  }

  /** Without their length. */
  raw(bytes: Buffer): void {
    if (bytes.length > pieceBytes / 8) {
      this.#endPart();
      this.#parts.push(bytes);
      this.#partBytes += bytes.length;
      return;
    }
    this.#reserve(bytes.length);
    this.#end += bytes.copy(this.#piece, this.#end);
  }

  bytes(bytes: Buffer): void {
    this.number(bytes.length);
    this.raw(bytes);
  }

  text(text: string): void {
    this.bytes(Buffer.from(text, 'latin1'));
  }

  async flush(): Promise<void> {
    this.#endPart();
    const parts = this.#parts;
    this.#parts = [];
    this.#partBytes = 0;
    for (const part of parts) await this.#writeSlices(part);
  }

  /** Bytes of any length with their length; they must stay as they are until it is done. */
  async large(bytes: Buffer): Promise<void> {
    this.number(bytes.length);
    await this.flush();
    await this.#writeSlices(bytes);
  }

  /** Writes the checksum, and everything to the disk. */
  async end(): Promise<Fingerprint> {
    await this.flush();
    const crc = Buffer.alloc(4);
    crc.writeUInt32LE(this.#crc);
    await this.#write(crc);
    await this.#file.sync();
    return { bytes: this.#bytes, crc: this.#crc };
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes > pieceBytes) this.#endPart();
  }

  #endPart(): void {
    if (this.#end === 0) return;
    this.#parts.push(Buffer.from(this.#piece.subarray(0, this.#end)));
    this.#partBytes += this.#end;
    this.#end = 0;
  }

  /** Each slice is a turn of the event loop. */
  async #writeSlices(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const slice = bytes.subarray(at, at + pieceBytes);
      this.#crc = crc32(slice, this.#crc);
      await this.#write(slice);
    }
  }

  async #write(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at);
      at += bytesWritten;
    }
    this.#bytes += bytes.length;
  }
}
