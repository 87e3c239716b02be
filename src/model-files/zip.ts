import { inflateRawSync } from 'node:zlib';
import { MalformedError, TooLargeError } from './errors.js';
import { cutShort, mostAtOnce, type Reader, uint } from './reader.js';

/** A file in a zip archive. */
export interface ZipEntry {
  readonly name: string;
  /** 0: stored, 8: deflated; others are not read. */
  readonly method: number;
  readonly compressedBytes: number;
  readonly bytes: number;
  /** Place of its local header. */
  readonly at: number;
}

/** Most files of an archive that are listed. */
const mostEntries = 200_000;

/** Bytes that the record at the end may lie before the end: its own and its comment's. */
const longestEnd = 22 + 0xffff;

/**
 * The list of files at the end of a zip archive. Libraries read archives asynchronously or whole; models are read at once, and are large.
 *
 * @throws MalformedError for an archive that is cut short or damaged
 */
export function readZipDirectory(reader: Reader): ZipEntry[] {
  const { start, bytes, count } = findDirectory(reader);
  if (start + bytes > reader.size) throw new MalformedError(cutShort);
  if (count > mostEntries) throw new MalformedError(`it says that it holds ${count} files`);
  const entries: ZipEntry[] = [];
  for (let at = start; at + 46 <= start + bytes && entries.length < count; ) {
    if (uint(reader, at, 4) !== 0x02014b50) throw new MalformedError('its list of files is damaged');
    const nameBytes = uint(reader, at + 28, 2);
    const extraBytes = uint(reader, at + 30, 2);
    const extra = at + 46 + nameBytes;
    const entry = wideEntry(reader, extra, extra + extraBytes, {
      name: reader.bytes(at + 46, extra).toString('utf8'),
      method: uint(reader, at + 10, 2),
      compressedBytes: uint(reader, at + 20, 4),
      bytes: uint(reader, at + 24, 4),
      at: uint(reader, at + 42, 4),
    });
    if (entry.at + 30 + entry.compressedBytes > start) throw new MalformedError(`${cutShort}, or damaged`);
    entries.push(entry);
    at = extra + extraBytes + uint(reader, at + 32, 2);
  }
  if (entries.length < count) throw new MalformedError('its list of files is damaged');
  return entries;
}

/** The first `most` bytes of a file, or all of it. @throws MalformedError if it is damaged, TooLargeError if it is no header */
export function readZipEntry(reader: Reader, entry: ZipEntry, most?: number): Buffer {
  const { name, method, compressedBytes } = entry;
  if (uint(reader, entry.at, 4) !== 0x04034b50) throw new MalformedError(`its file ${name} is damaged`);
  const start = entry.at + 30 + uint(reader, entry.at + 26, 2) + uint(reader, entry.at + 28, 2);
  if (method === 0) return reader.bytes(start, start + Math.min(compressedBytes, most ?? compressedBytes));
  if (method !== 8) throw new MalformedError(`its file ${name} is compressed in a way that only some programs know`);
  const packed = reader.bytes(start, start + compressedBytes);
  try {
    return inflateRawSync(packed, { maxOutputLength: mostAtOnce }).subarray(0, most);
  } catch (error) {
    if (error instanceof RangeError) throw new TooLargeError();
    throw new MalformedError(`its file ${name} is damaged`);
  }
}

/** End record: entries at 10, bytes of the directory at 12, its place at 16. With Zip64, its locator stands before the end record. */
function findDirectory(reader: Reader): { start: number; bytes: number; count: number } {
  for (let at = reader.size - 22; at >= 0 && at >= reader.size - longestEnd; at -= 1) {
    if (uint(reader, at, 4) !== 0x06054b50 || at + 22 + uint(reader, at + 20, 2) !== reader.size) continue;
    if (at >= 20 && uint(reader, at - 20, 4) === 0x07064b50) {
      const wide = uint(reader, at - 12, 6);
      if (wide + 56 > at || uint(reader, wide, 4) !== 0x06064b50)
        throw new MalformedError('its list of files is damaged');
      return {
        count: uint(reader, wide + 32, 6),
        bytes: uint(reader, wide + 40, 6),
        start: uint(reader, wide + 48, 6),
      };
    }
    return { count: uint(reader, at + 10, 2), bytes: uint(reader, at + 12, 4), start: uint(reader, at + 16, 4) };
  }
  throw new MalformedError(`${cutShort}, as its list of files is missing`);
}

/** Sizes and places beyond 4 GiB are in the extra field 1, in this order, those alone whose own field is full. */
function wideEntry(reader: Reader, start: number, end: number, entry: ZipEntry): ZipEntry {
  for (let at = start; at + 4 <= end; at += 4 + uint(reader, at + 2, 2)) {
    if (uint(reader, at, 2) !== 1) continue;
    let next = at + 4;
    const read = (value: number): number => {
      if (value !== 0xffffffff) return value;
      next += 8;
      return uint(reader, next - 8, 6);
    };
    const bytes = read(entry.bytes);
    const compressedBytes = read(entry.compressedBytes);
    return { ...entry, bytes, compressedBytes, at: read(entry.at) };
  }
  return entry;
}
