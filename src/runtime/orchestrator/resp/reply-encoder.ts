import {
  DoubleReply,
  ErrorReply,
  LongReply,
  MapReply,
  nilArray,
  PinnedBytes,
  type Protocol,
  type Reply,
  SetReply,
  SimpleString,
  type VerbatimReply,
} from './reply.js';

const slabBytes = 64 * 1024;
/** Bulks up to this size are copied beside their headers; larger ones are handed on as they are. */
const copyBytes = 16 * 1024;
/** So much of a long reply is encoded at a time. */
const partElements = 256;
const partBytes = 64 * 1024;
const okLine = '+OK\r\n';
/** Up to this length bytes are written one by one: a call of what writes many at once costs more than they do. */
const shortBytes = 24;

type Special = MapReply | SetReply | DoubleReply | VerbatimReply | LongReply;

/** Arrays of more elements than this are encoded in parts. */
const longFrom = 256;

/** True if a reply is better encoded {@link ReplyEncoder.addInParts | in parts}. */
export function isLong(reply: Reply): boolean {
  if (reply instanceof LongReply) return true;
  const elements = Array.isArray(reply)
    ? (reply as readonly Reply[])
    : reply instanceof MapReply
      ? reply.pairs
      : undefined;
  return elements !== undefined && (elements.length > longFrom || elements.some(isLong));
}

/** Encoded replies: the pieces to write in order, and what to call when they have been written. */
export interface EncodedReplies {
  readonly pieces: readonly Uint8Array[];
  readonly releases: readonly (() => void)[];
  /** Bytes of the pieces that belong to the store until they are released. */
  readonly pinnedBytes: number;
}

/**
 * Encodes replies in RESP2 or RESP3. Large bulk strings are not copied.
 *
 * One encoder serves all connections of a thread: what is added up to a `take` belongs together.
 */
export class ReplyEncoder {
  #slab = Buffer.allocUnsafeSlow(slabBytes);
  #start = 0;
  #end = 0;
  #pieces: Uint8Array[] = [];
  #releases: (() => void)[] = [];
  #pieceBytes = 0;
  #pinnedBytes = 0;

  /** Bytes added since the last {@link take}. */
  get pendingBytes(): number {
    return this.#pieceBytes + this.#end - this.#start;
  }

  /** Like {@link add}, with a pause after every few elements, in which what is there must be taken before anything else is added. */
  *addInParts(reply: Reply, protocol: Protocol = 2): Generator<undefined, void> {
    if (!isLong(reply)) {
      this.add(reply, protocol);
      return;
    }
    const isMap = reply instanceof MapReply || (reply instanceof LongReply && reply.isMap);
    const { elements, length } = reply instanceof LongReply ? reply : whole(reply as MapReply | readonly Reply[]);
    this.#line(isMap && protocol === 3 ? `%${length / 2}\r\n` : `*${length}\r\n`);
    let added = 0;
    for (const element of elements) {
      if (isLong(element)) yield* this.addInParts(element, protocol);
      else this.add(element, protocol);
      added += 1;
      if (added % partElements === 0 || this.pendingBytes > partBytes) yield;
    }
    if (reply instanceof LongReply) reply.release();
  }

  add(reply: Reply, protocol: Protocol = 2): void {
    if (typeof reply === 'number' || typeof reply === 'bigint') this.#line(`:${reply}\r\n`);
    else if (reply === null) this.#line(protocol === 3 ? '_\r\n' : '$-1\r\n');
    else if (reply === nilArray) this.#line(protocol === 3 ? '_\r\n' : '*-1\r\n');
    else if (typeof reply === 'string') this.#bulk(Buffer.from(reply));
    else if (reply instanceof Uint8Array) this.#bulk(reply);
    else if (reply instanceof SimpleString) this.#line(reply.text === 'OK' ? okLine : `+${reply.text}\r\n`);
    else if (reply instanceof ErrorReply) this.#text(`-${reply.text}\r\n`);
    else if (reply instanceof PinnedBytes) {
      this.#bulk(reply.bytes);
      if (reply.bytes.length > copyBytes) {
        this.#releases.push(reply.release);
        this.#pinnedBytes += reply.bytes.length;
      } else reply.release();
    } else if (Array.isArray(reply)) this.#elements('*', reply.length, reply, protocol);
    else this.#special(reply as Special, protocol);
  }

  /** Replies that differ between the versions of the protocol. */
  #special(reply: Special, protocol: Protocol): void {
    const isNew = protocol === 3;
    if (reply instanceof MapReply) {
      const { pairs } = reply;
      this.#elements(isNew ? '%' : '*', isNew ? pairs.length / 2 : pairs.length, pairs, protocol);
    } else if (reply instanceof SetReply) {
      this.#elements(isNew ? '~' : '*', reply.elements.length, reply.elements, protocol);
    } else if (reply instanceof LongReply) {
      this.#line(reply.isMap && isNew ? `%${reply.length / 2}\r\n` : `*${reply.length}\r\n`);
      for (const element of reply.elements) this.add(element, protocol);
      reply.release();
    } else if (!isNew) this.#bulk(Buffer.from(reply.text));
    else if (reply instanceof DoubleReply) this.#line(`,${reply.text}\r\n`);
    else {
      const bytes = Buffer.from(`txt:${reply.text}`);
      this.#line(`=${bytes.length}\r\n`);
      this.#copyOrPiece(bytes);
      this.#line('\r\n');
    }
  }

  #elements(marker: string, length: number, elements: readonly Reply[], protocol: Protocol): void {
    this.#line(`${marker}${length}\r\n`);
    for (const element of elements) this.add(element, protocol);
  }

  /** Everything added since the last call. */
  take(): EncodedReplies {
    this.#endPiece();
    const taken = { pieces: this.#pieces, releases: this.#releases, pinnedBytes: this.#pinnedBytes };
    this.#pinnedBytes = 0;
    this.#pieces = [];
    this.#releases = [];
    this.#pieceBytes = 0;
    return taken;
  }

  /** ASCII. */
  #line(text: string): void {
    this.#reserve(text.length);
    const slab = this.#slab;
    const start = this.#end;
    if (text.length > shortBytes) slab.write(text, start, 'latin1');
    else for (let at = 0; at < text.length; at += 1) slab[start + at] = text.charCodeAt(at);
    this.#end = start + text.length;
  }

  #text(text: string): void {
    this.#copyOrPiece(Buffer.from(text));
  }

  #bulk(bytes: Uint8Array): void {
    this.#line(`$${bytes.length}\r\n`);
    this.#copyOrPiece(bytes);
    this.#line('\r\n');
  }

  #copyOrPiece(bytes: Uint8Array): void {
    if (bytes.length > copyBytes) this.#pieceOf(bytes);
    else this.#copy(bytes);
  }

  #copy(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    const slab = this.#slab;
    const start = this.#end;
    if (bytes.length > shortBytes) slab.set(bytes, start);
    else for (let at = 0; at < bytes.length; at += 1) slab[start + at] = bytes[at] as number;
    this.#end = start + bytes.length;
  }

  #pieceOf(bytes: Uint8Array): void {
    this.#endPiece();
    this.#pieces.push(bytes);
    this.#pieceBytes += bytes.length;
  }

  #endPiece(): void {
    if (this.#end > this.#start) {
      this.#pieces.push(this.#slab.subarray(this.#start, this.#end));
      this.#pieceBytes += this.#end - this.#start;
    }
    this.#start = this.#end;
  }

  /** Written regions are never used again: a socket may still hold them. */
  #reserve(bytes: number): void {
    if (this.#end + bytes <= slabBytes) return;
    this.#endPiece();
    this.#slab = Buffer.allocUnsafeSlow(slabBytes);
    this.#start = 0;
    this.#end = 0;
  }
}

function whole(reply: MapReply | readonly Reply[]): { readonly elements: readonly Reply[]; readonly length: number } {
  const elements = reply instanceof MapReply ? reply.pairs : reply;
  return { elements, length: elements.length };
}
