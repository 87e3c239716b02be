/** A status such as `+OK`. */
export class SimpleString {
  constructor(readonly text: string) {}
}

/** An error line; the text starts with its class (`ERR`, `WRONGTYPE`) where it has one. Line breaks become blanks. */
export class ErrorReply {
  readonly text: string;

  constructor(text: string) {
    this.text = text.replace(/[\r\n]/g, ' ');
  }
}

/** Bytes that must not be moved until they have been written: `release` is called then, once. */
export class PinnedBytes {
  constructor(
    readonly bytes: Uint8Array,
    readonly release: () => void,
  ) {}
}

/** An array whose elements are made as they are sent. What they are made of must not change. */
export class LongReply {
  /** `heldBytes` is kept from being freed until the last has been sent. */
  constructor(
    readonly length: number,
    readonly elements: Iterable<Reply>,
    readonly heldBytes: number,
    /** Called when they have all been sent, or will not be. */
    readonly release: () => void = () => undefined,
    /** Keys and values in turn: see {@link MapReply}. */
    readonly isMap = false,
  ) {}
}

/** RESP2's other nil, of commands that would answer with an array. */
export const nilArray = Symbol('nil array');

/** Keys and values in turn: a map in RESP3, in RESP2 an array of both. */
export class MapReply {
  constructor(readonly pairs: readonly Reply[]) {}
}

/** Different elements in no order: a set in RESP3, in RESP2 an array. */
export class SetReply {
  constructor(readonly elements: readonly Reply[]) {}
}

/** A floating-point number: a double in RESP3, in RESP2 its text as a bulk string. */
export class DoubleReply {
  constructor(readonly text: string) {}
}

/** Text for people to read: a verbatim string in RESP3, in RESP2 a bulk string. */
export class VerbatimReply {
  constructor(readonly text: string) {}
}

/** The version of the protocol that a connection speaks. */
export type Protocol = 2 | 3;

/** Reply of a command: a number or bigint is an integer, a string or bytes a bulk string, null a nil, an array an array. */
export type Reply =
  | SimpleString
  | ErrorReply
  | PinnedBytes
  | LongReply
  | MapReply
  | SetReply
  | DoubleReply
  | VerbatimReply
  | Uint8Array
  | string
  | number
  | bigint
  | null
  | typeof nilArray
  | readonly Reply[];

/** `+OK` */
export const ok = new SimpleString('OK');

/** Lets go of the bytes of a reply that is not sent. */
export function unpin(reply: Reply): void {
  if (reply instanceof PinnedBytes || reply instanceof LongReply) reply.release();
  else if (reply instanceof MapReply) for (const element of reply.pairs) unpin(element);
  else if (Array.isArray(reply)) for (const element of reply as readonly Reply[]) unpin(element);
}
