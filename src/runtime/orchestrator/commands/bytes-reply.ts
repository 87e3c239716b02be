import { spareFromBytes } from '../memory/spare-buffers.js';
import { PinnedBytes } from '../resp/reply.js';
import type { LendableBytes } from '../store/lendable-bytes.js';

/** Bytes that are here as a reply. Those that may be lent or freed are kept in place while a socket writes them. */
export function bytesReply(source: LendableBytes, bytes: Buffer): PinnedBytes | Buffer {
  return bytes.length < spareFromBytes ? bytes : new PinnedBytes(bytes, source.pin());
}
