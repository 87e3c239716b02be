import { free } from './free.js';

/** Buffers from this size on are kept for a while when they are no longer needed. */
export const spareFromBytes = 1024;
const largestBytes = 64 * 1024 * 1024;
const mostKeptBytes = 128 * 1024 * 1024;
const leastKeptBytes = 16 * 1024 * 1024;
/** So much of what a process may use is kept. */
const keptShare = 1 / 16;
const keptOfOneSize = 16;
const keptOfOneLargeSize = 2;
const largeBytes = 4 * 1024 * 1024;
const keptMs = 500;

interface Spare {
  readonly buffer: ArrayBuffer;
  /** Nobody has wanted it since the last look. */
  old: boolean;
}

const spares = new Map<number, Spare[]>();
let keptBytes = mostKeptBytes;
let total = 0;
let timer: NodeJS.Timeout | undefined;

/** Keeps less where memory is limited; 0 for no limit. */
export function keepSparesWithin(limitBytes: number): void {
  const share = Math.max(leastKeptBytes, limitBytes * keptShare);
  keptBytes = limitBytes === 0 ? mostKeptBytes : Math.min(mostKeptBytes, share);
}

/**
 * A buffer of its own with whatever in it. One that {@link putBack} got lately is used again: simulations overwrite
 * tensors by others of their size, and fresh memory costs several times what copying into it does.
 */
export function takeBuffer(bytes: number): Buffer {
  if (bytes >= spareFromBytes && total > 0) {
    const ofSize = spares.get(bytes);
    const spare = ofSize?.pop();
    if (spare !== undefined) {
      if (ofSize?.length === 0) spares.delete(bytes);
      total -= bytes;
      return Buffer.from(spare.buffer);
    }
  }
  return Buffer.allocUnsafeSlow(bytes);
}

/** Takes a buffer that nobody reads any more, nor a socket writes; its memory is used again soon or freed. */
export function putBack(buffer: ArrayBuffer): void {
  const bytes = buffer.byteLength;
  if (bytes < spareFromBytes) return;
  if (bytes > largestBytes || total + bytes > keptBytes) {
    free(buffer);
    return;
  }
  const ofSize = spares.get(bytes);
  if (ofSize !== undefined && ofSize.length >= (bytes < largeBytes ? keptOfOneSize : keptOfOneLargeSize)) {
    free(buffer);
    return;
  }
  if (ofSize === undefined) spares.set(bytes, [{ buffer, old: false }]);
  else ofSize.push({ buffer, old: false });
  total += bytes;
  timer ??= setInterval(freeOld, keptMs).unref();
}

function freeOld(): void {
  for (const [bytes, ofSize] of spares) {
    const kept = ofSize.filter(({ old }) => !old);
    for (const { buffer, old } of ofSize) if (old) free(buffer);
    total -= bytes * (ofSize.length - kept.length);
    for (const spare of kept) spare.old = true;
    if (kept.length > 0) spares.set(bytes, kept);
    else spares.delete(bytes);
  }
  if (total > 0) return;
  clearInterval(timer);
  timer = undefined;
}
