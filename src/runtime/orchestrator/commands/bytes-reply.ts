import { PinnedBytes } from '../resp/reply.js';
import type { LendableBytes } from '../store/lendable-bytes.js';

/** From this size on bytes may be lent to another thread, so they are held while a socket writes them. */
const pinFromBytes = 1024 * 1024;

/** Bytes that are here as a reply. */
export function bytesReply(source: LendableBytes, bytes: Buffer): PinnedBytes | Buffer {
  return bytes.length < pinFromBytes ? bytes : new PinnedBytes(bytes, source.pin());
}
