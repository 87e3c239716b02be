import type { LendableBytes } from '../bytes/lendable-bytes.js';
import { spareFromBytes } from '../memory/spare-buffers.js';
import { PinnedBytes } from '../resp/reply.js';

/** Bytes that are here as a reply. Those that may be lent or freed are kept in place while a socket writes them. */
export function bytesReply(source: LendableBytes, bytes: Buffer): PinnedBytes | Buffer {
  return bytes.length < spareFromBytes ? bytes : new PinnedBytes(bytes, source.pin());
}
