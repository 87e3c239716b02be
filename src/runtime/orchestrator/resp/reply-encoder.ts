import { ErrorReply, nilArray, PinnedBytes, type Reply, SimpleString } from './reply.js';

const slabBytes = 64 * 1024;
/** Bulks up to this size are copied beside their headers; larger ones are handed on as they are. */
const copyBytes = 16 * 1024;
const okLine = '+OK\r\n';

/** Encoded replies: the pieces to write in order, and what to call when they have been written. */
export interface EncodedReplies {
  readonly pieces: readonly Uint8Array[];
  readonly releases: readonly (() => void)[];
}

/**
 * Encodes replies in RESP2. Large bulk strings are not copied.
 *
 * One encoder serves all connections of a thread: what is added up to a `take` belongs together.
 */
export class ReplyEncoder {
  #slab = Buffer.allocUnsafeSlow(slabBytes);
  #start = 0;
  #end = 0;
  #pieces: Uint8Array[] = [];
  #releases: (() => void)[] = [];

  add(reply: Reply): void {
    if (typeof reply === 'number' || typeof reply === 'bigint') this.#line(`:${reply}\r\n`);
    else if (reply === null) this.#line('$-1\r\n');
    else if (reply === nilArray) this.#line('*-1\r\n');
    else if (typeof reply === 'string') this.#bulk(Buffer.from(reply));
    else if (reply instanceof Uint8Array) this.#bulk(reply);
    else if (reply instanceof SimpleString) this.#line(reply.text === 'OK' ? okLine : `+${reply.text}\r\n`);
    else if (reply instanceof ErrorReply) this.#text(`-${reply.text}\r\n`);
    else if (reply instanceof PinnedBytes) {
      this.#bulk(reply.bytes);
      if (reply.bytes.length > copyBytes) this.#releases.push(reply.release);
      else reply.release();
    } else {
      this.#line(`*${reply.length}\r\n`);
      for (const element of reply) this.add(element);
    }
  }

  /** Everything added since the last call. */
  take(): EncodedReplies {
    this.#endPiece();
    const taken = { pieces: this.#pieces, releases: this.#releases };
    this.#pieces = [];
    this.#releases = [];
    return taken;
  }

  /** ASCII. */
  #line(text: string): void {
    this.#reserve(text.length);
    this.#slab.write(text, this.#end, 'latin1');
    this.#end += text.length;
  }

  #text(text: string): void {
    const bytes = Buffer.from(text);
    if (bytes.length > copyBytes) this.#pieceOf(bytes);
    else this.#copy(bytes);
  }

  #bulk(bytes: Uint8Array): void {
    this.#line(`$${bytes.length}\r\n`);
    if (bytes.length > copyBytes) this.#pieceOf(bytes);
    else this.#copy(bytes);
    this.#line('\r\n');
  }

  #copy(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#slab.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  #pieceOf(bytes: Uint8Array): void {
    this.#endPiece();
    this.#pieces.push(bytes);
  }

  #endPiece(): void {
    if (this.#end > this.#start) this.#pieces.push(this.#slab.subarray(this.#start, this.#end));
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
