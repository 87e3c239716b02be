import type { ModelValue, ScriptValue } from '../ai/values.js';
import type { Reply } from '../resp/reply.js';
import type { ReplyEncoder } from '../resp/reply-encoder.js';
import { headerBytes, kinds, numberOf, ops, recordBytes, writeHeader, writeNumber } from './frames.js';
import { writeProperties } from './properties.js';
import type { Write } from './request-values.js';

const actions = { set: 1, delete: 2 } as const;

/** A frame as pieces to write in order, and what to call when they have been written. */
export interface EncodedFrame {
  readonly pieces: readonly Uint8Array[];
  readonly bytes: number;
  readonly releases: readonly (() => void)[];
}

/** The answer to a request: what to write to its keys, all or nothing, and the reply in RESP3. `words` are the request's. */
export function encodeReply(
  encoder: ReplyEncoder,
  id: bigint,
  words: readonly Buffer[],
  writes: readonly Write[],
  reply: Reply,
): EncodedFrame {
  encoder.add(reply, 3);
  const { pieces: replyPieces, releases } = encoder.take();
  const replyBytes = sum(replyPieces);
  const records: Buffer[] = [];
  const data: Uint8Array[] = [];
  const done = releases.slice();
  for (const write of writes) records.push(encodeWrite(write, words, data, done));
  const meta = sum(records);
  const body = meta + sum(data) + replyBytes;
  const head = Buffer.alloc(headerBytes);
  writeHeader(head, { body, id, op: ops.reply, meta, first: writes.length, second: replyBytes });
  const pieces = [head, ...records, ...data, ...replyPieces];
  return { pieces, bytes: headerBytes + body, releases: done };
}

/** The record of a write, whose bytes are added to `data`. */
function encodeWrite(
  { given, value }: Write,
  words: readonly Buffer[],
  data: Uint8Array[],
  releases: (() => void)[],
): Buffer {
  const rank = value?.kind === 'tensor' ? value.shape.length : 0;
  const record = Buffer.alloc(recordBytes + 8 * rank);
  record.writeUInt32LE(given, 0);
  record[4] = value === undefined ? actions.delete : actions.set;
  if (value === undefined) return record;
  record[5] = kinds.indexOf(value.kind);
  if (value.kind === 'tensor') {
    const { bytes } = value;
    record[6] = numberOf(value.dtype);
    writeNumber(record, bytes.byteLength, 8);
    record.writeUInt32LE(rank, 20);
    for (const [axis, size] of value.shape.entries()) writeNumber(record, size, recordBytes + 8 * axis);
    if (bytes.byteLength > 0) data.push(bytes.here);
    releases.push(() => bytes.discard());
    return record;
  }
  const properties = writeProperties(value);
  const tail = tailOf(value, words);
  record.writeUInt32LE(properties.length, 16);
  record.writeUInt32LE(tail, 24);
  data.push(properties);
  if (tail === 0) {
    const content = contentOf(value);
    writeNumber(record, content.length, 8);
    data.push(content);
  }
  return record;
}

function contentOf(value: ModelValue | ScriptValue): Buffer {
  return value.kind === 'model' ? value.bytes.here : value.source;
}

/** Number of the last words that are the bytes of the model or script together; 0 if they are not. Bytes need not go back then. */
function tailOf(value: ModelValue | ScriptValue, words: readonly Buffer[]): number {
  const length = value.kind === 'model' ? value.bytes.byteLength : value.source.length;
  let left = length;
  for (let count = 1; count < words.length; count += 1) {
    left -= words[words.length - count]?.length ?? 0;
    if (left < 0) return 0;
    if (left === 0 && bytesFollow(words[words.length - count - 1])) return count;
  }
  return 0;
}

function bytesFollow(word: Buffer | undefined): boolean {
  return word !== undefined && word.length <= 6 && /^(blob|source)$/i.test(word.toString('latin1'));
}

function sum(pieces: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const piece of pieces) bytes += piece.length;
  return bytes;
}
