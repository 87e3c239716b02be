import type { FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

const pieceBytes = 1024 * 1024;

/** A file is not what was written. */
export class DamagedError extends Error {
  override readonly name = 'DamagedError';
}

/** Reads what {@link CheckpointWriter} wrote. All calls reject with {@link DamagedError} at the end of the file. */
export class CheckpointReader {
  readonly #file: FileHandle;
  /** Bytes of the file that have not been read yet. */
  #remaining: number;
  #piece = Buffer.alloc(0);
  #at = 0;
  #crc = 0;

  constructor(file: FileHandle, bytes: number) {
    this.#file = file;
    this.#remaining = bytes;
  }

  async byte(): Promise<number> {
    return (await this.raw(1))[0] ?? 0;
  }

  async number(): Promise<number> {
    return (await this.raw(8)).readDoubleLE();
  }

  /** Number of items that follow, each of at least so many bytes. */
  async count(leastBytes: number): Promise<number> {
    const count = await this.number();
    if (!Number.isSafeInteger(count) || count < 0 || count * leastBytes > this.#left()) throw damaged();
    return count;
  }

  /** Bytes with their length, in a buffer of their own. */
  async bytes(): Promise<Buffer> {
    const length = await this.count(1);
    const bytes = Buffer.allocUnsafeSlow(length);
    let filled = this.#piece.copy(bytes, 0, this.#at, Math.min(this.#at + length, this.#piece.length));
    this.#count(bytes.subarray(0, filled));
    this.#at += filled;
    while (filled < length) {
      const { bytesRead } = await this.#file.read(bytes, filled, Math.min(pieceBytes, length - filled));
      if (bytesRead === 0) throw damaged();
      this.#count(bytes.subarray(filled, filled + bytesRead));
      this.#remaining -= bytesRead;
      filled += bytesRead;
    }
    return bytes;
  }

  async text(): Promise<string> {
    return (await this.bytes()).toString('latin1');
  }

  /** The next few bytes, good until the next call. */
  async raw(length: number): Promise<Buffer> {
    await this.#need(length);
    const bytes = this.#piece.subarray(this.#at, this.#at + length);
    this.#count(bytes);
    this.#at += length;
    return bytes;
  }

  /** The checksum, which nothing may follow. */
  async end(): Promise<void> {
    const crc = this.#crc;
    const written = (await this.raw(4)).readUInt32LE();
    if (written !== crc || this.#left() !== 0) throw damaged();
  }

  /** zlib takes no bytes for a new beginning. */
  #count(bytes: Buffer): void {
    if (bytes.length > 0) this.#crc = crc32(bytes, this.#crc);
  }

  #left(): number {
    return this.#remaining + this.#piece.length - this.#at;
  }

  async #need(length: number): Promise<void> {
    while (this.#piece.length - this.#at < length) {
      const next = Buffer.allocUnsafe(pieceBytes);
      const kept = this.#piece.copy(next, 0, this.#at);
      const { bytesRead } = await this.#file.read(next, kept, pieceBytes - kept);
      if (bytesRead === 0) throw damaged();
      this.#remaining -= bytesRead;
      this.#piece = next.subarray(0, kept + bytesRead);
      this.#at = 0;
    }
  }
}

function damaged(): DamagedError {
  return new DamagedError('it is cut short or was changed');
}
