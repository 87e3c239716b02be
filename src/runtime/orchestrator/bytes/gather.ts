import { setImmediate as nextTurn } from 'node:timers/promises';
import { ownBytes } from './lendable-bytes.js';

const sliceBytes = 4 * 1024 * 1024;

/** Chunks as one buffer of its own. A single chunk that has one is not copied; long copies let the event loop turn. */
export async function gather(chunks: readonly Buffer[]): Promise<Buffer> {
  const [first] = chunks;
  if (chunks.length === 1 && first !== undefined) return ownBytes(first);
  const whole = Buffer.allocUnsafeSlow(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let end = 0;
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += sliceBytes) {
      end += chunk.copy(whole, end, at, Math.min(at + sliceBytes, chunk.length));
      if (chunk.length > sliceBytes) await nextTurn();
    }
  }
  return whole;
}

/** True if two buffers of one length hold the same; long ones are compared a slice a turn of the event loop. */
export async function areEqual(one: Buffer, other: Buffer): Promise<boolean> {
  for (let at = 0; at < one.length; at += sliceBytes) {
    if (at > 0) await nextTurn();
    const end = Math.min(at + sliceBytes, one.length);
    if (one.compare(other, at, end, at, end) !== 0) return false;
  }
  return true;
}
