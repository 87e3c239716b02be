import { MalformedError } from './errors.js';

/*
 * A pickle as data. Its instructions build values on a stack; nothing that they name is imported or called.
 */

/** A class or function that a pickle names. */
export interface PickledName {
  readonly kind: 'name';
  readonly module: string;
  readonly name: string;
}

/** A call that a pickle asks for and that nobody makes. */
export interface PickledCall {
  readonly kind: 'call';
  readonly callee: unknown;
  readonly arguments: unknown;
}

/** Value of a pickle: numbers, texts and booleans, arrays for tuples and lists, maps for dictionaries, names and calls. */
export type Pickled = unknown;

const mark = Symbol('mark');

/** The value that a pickle of protocol 2 builds, as PyTorch writes it. @throws MalformedError for any other instruction */
export function readPickle(bytes: Buffer): Pickled {
  return new Machine(bytes).run();
}

class Machine {
  readonly #bytes: Buffer;
  readonly #stack: Pickled[] = [];
  readonly #memo = new Map<number, Pickled>();
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  run(): Pickled {
    for (;;) {
      const instruction = String.fromCharCode(this.#uint(1));
      if (instruction === '.') return this.#pop();
      this.#step(instruction);
    }
  }

  #step(instruction: string): void {
    switch (instruction) {
      case '\x80':
        this.#at += 1;
        break;
      case 'c':
        this.#stack.push({ kind: 'name', module: this.#line(), name: this.#line() } satisfies PickledName);
        break;
      case '(':
        this.#stack.push(mark);
        break;
      case '}':
        this.#stack.push(new Map());
        break;
      case ']':
      case ')':
        this.#stack.push([]);
        break;
      case 'N':
        this.#stack.push(null);
        break;
      case '\x88':
      case '\x89':
        this.#stack.push(instruction === '\x88');
        break;
      case 'X':
        this.#stack.push(this.#take(this.#uint(4)).toString('utf8'));
        break;
      case 'K':
        this.#stack.push(this.#uint(1));
        break;
      case 'M':
        this.#stack.push(this.#uint(2));
        break;
      case 'J':
        this.#stack.push(this.#take(4).readInt32LE());
        break;
      case 'G':
        this.#stack.push(this.#take(8).readDoubleBE());
        break;
      case '\x8a':
        this.#stack.push(this.#long(this.#take(this.#uint(1))));
        break;
      case 'q':
        this.#memo.set(this.#uint(1), this.#stack.at(-1));
        break;
      case 'r':
        this.#memo.set(this.#uint(4), this.#stack.at(-1));
        break;
      case 'h':
        this.#stack.push(this.#memo.get(this.#uint(1)));
        break;
      case 'j':
        this.#stack.push(this.#memo.get(this.#uint(4)));
        break;
      case 't':
        this.#stack.push(this.#sinceMark());
        break;
      case '\x85':
      case '\x86':
      case '\x87':
        this.#stack.push(this.#popMany(instruction.charCodeAt(0) - 0x84));
        break;
      case 'a':
        this.#append([this.#pop()]);
        break;
      case 'e':
        this.#append(this.#sinceMark());
        break;
      case 's':
        this.#setItems(this.#popMany(2));
        break;
      case 'u':
        this.#setItems(this.#sinceMark());
        break;
      case 'Q':
        break;
      case 'R': {
        const [callee, given] = this.#popMany(2);
        this.#stack.push({ kind: 'call', callee, arguments: given } satisfies PickledCall);
        break;
      }
      default:
        throw new MalformedError('a pickle in it has an instruction that is not known');
    }
  }

  #append(values: Pickled[]): void {
    const list = this.#stack.at(-1);
    if (!Array.isArray(list)) throw new MalformedError('a pickle in it is damaged');
    for (const value of values) list.push(value);
  }

  #setItems(items: Pickled[]): void {
    const map = this.#stack.at(-1);
    if (!(map instanceof Map)) throw new MalformedError('a pickle in it is damaged');
    for (let at = 0; at + 1 < items.length; at += 2) map.set(items[at], items[at + 1]);
  }

  #pop(): Pickled {
    if (this.#stack.length === 0) throw new MalformedError('a pickle in it is damaged');
    return this.#stack.pop();
  }

  #popMany(count: number): Pickled[] {
    return Array.from({ length: count }, () => this.#pop()).reverse();
  }

  #sinceMark(): Pickled[] {
    const at = this.#stack.lastIndexOf(mark);
    if (at < 0) throw new MalformedError('a pickle in it is damaged');
    const values = this.#stack.splice(at);
    return values.slice(1);
  }

  #uint(bytes: number): number {
    return this.#take(bytes).readUIntLE(0, bytes);
  }

  /** A whole number in two's complement; beyond 48 bits it is no size of anything. */
  #long(bytes: Buffer): number {
    return bytes.length === 0 || bytes.length > 6 ? 0 : bytes.readIntLE(0, bytes.length);
  }

  #line(): string {
    const end = this.#bytes.indexOf(10, this.#at);
    if (end < 0) throw new MalformedError('a pickle in it is damaged');
    const line = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return line;
  }

  #take(count: number): Buffer {
    const end = this.#at + count;
    if (end > this.#bytes.length) throw new MalformedError('a pickle in it ends too early');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
