/** Number of slots over which the keys of a cluster are spread. */
export const slotCount = 16384;

const polynomial = 0x11021;

/** CRC-16/XMODEM. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? ((crc << 1) ^ polynomial) & 0xffff : crc << 1;
  }
  return crc & 0xffff;
}

/** The slot of a key: of what stands in its first braces, if there is anything. */
export function slotOf(key: string | Buffer): number {
  const bytes = Buffer.from(key as string);
  const open = bytes.indexOf('{');
  const close = open === -1 ? -1 : bytes.indexOf('}', open + 1);
  return crc16(close > open + 1 ? bytes.subarray(open + 1, close) : bytes) % slotCount;
}

/**
 * The slot in which SmartRedis's clients take a key to be. They differ from {@link slotOf} where the braces of a key are empty, or a closing one
 * comes first: `{}x`, `a}b{c}`.
 */
export function clientSlotOf(key: string | Buffer): number {
  const bytes = Buffer.from(key as string);
  const open = bytes.indexOf('{');
  const close = bytes.indexOf('}');
  return crc16(open !== -1 && close > open ? bytes.subarray(open + 1, close) : bytes) % slotCount;
}

/**
 * The text in braces before the names of models and scripts on the shard whose slots begin there: the shortest bytes
 * of that slot without a brace.
 */
export function shardPrefix(firstSlot: number): Buffer {
  let remainder = BigInt(firstSlot);
  for (let bit = 0; bit <= 24; bit += 1) {
    if ((remainder >> BigInt(bit)) & 1n) remainder ^= BigInt(polynomial) << BigInt(bit);
    if (bit < 15) continue;
    const prefix = bytesOf(remainder >> 16n, Math.ceil((bit + 1) / 8));
    if (!prefix.includes('{') && !prefix.includes('}')) return prefix;
  }
  throw new Error(`no prefix for slot ${firstSlot}`);
}

function bytesOf(value: bigint, length: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes.subarray(8 - length);
}
