import { setImmediate as nextTurn } from 'node:timers/promises';
import { LendableBytes } from './lendable-bytes.js';

const sliceBytes = 4 * 1024 * 1024;

/** A copy of its own; of many bytes a slice a turn of the event loop. */
export async function copyOf(source: LendableBytes): Promise<LendableBytes> {
  source.hold();
  try {
    return await source.read((bytes) => copyInSlices(bytes, source.pin()));
  } finally {
    source.letGo();
  }
}

async function copyInSlices(bytes: Buffer, release: () => void): Promise<LendableBytes> {
  try {
    const copy = Buffer.allocUnsafeSlow(bytes.length);
    for (let at = 0; at < bytes.length; at += sliceBytes) {
      if (at > 0) await nextTurn();
      bytes.copy(copy, at, at, Math.min(at + sliceBytes, bytes.length));
    }
    return new LendableBytes(copy);
  } finally {
    release();
  }
}
