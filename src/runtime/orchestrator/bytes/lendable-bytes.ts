import { setImmediate as nextTurn } from 'node:timers/promises';
import { countLingering } from '../memory/lingering.js';
import { putBack, spareFromBytes, takeBuffer } from '../memory/spare-buffers.js';

/** Up to this size bytes are copied for another thread; above it they are lent. */
const copyLimitBytes = 4 * 1024 * 1024;
/** Bytes of a large copy that are made in one turn of the event loop. */
const sliceBytes = 4 * 1024 * 1024;

let lastSerial = 0;

/** The part of {@link LendableBytes.borrow}'s answer that says how to end it. */
export interface BytesLoan {
  readonly buffer: ArrayBuffer;
  readonly missed: boolean;
  giveBack(buffer: ArrayBuffer | undefined): void;
}

/**
 * Unchanging bytes with an ArrayBuffer of their own that can be lent to another thread without being copied.
 *
 * While they are away there is nothing to read here. Bytes that a socket is still writing (pinned) are not lent
 * but copied, a slice a turn, since the memory must stay where it is whatever becomes of the other thread.
 *
 * A SharedArrayBuffer would need no lending, but V8 does not count it towards garbage collection, so overwritten
 * tensors would pile up.
 */
export class LendableBytes {
  readonly byteLength: number;
  readonly serial = ++lastSerial;
  /** Not a view of it, which would take another hundred bytes for as long as the bytes are kept. */
  #buffer: ArrayBuffer | undefined;
  #lost = false;
  #pins = 0;
  #holds = 0;
  /** Values that have these bytes. */
  #owners = 1;
  /** No value has them, and they cannot be freed yet. */
  #lingers = false;
  #waiting: ((bytes: Buffer | undefined) => void)[] | undefined;

  /** `bytes` must cover its whole ArrayBuffer: see {@link ownBytes}. */
  constructor(bytes: Buffer) {
    this.#buffer = bytes.buffer as ArrayBuffer;
    this.byteLength = bytes.length;
  }

  /**
   * Hands the bytes to `use`, at once or when they are back. What `use` wants to keep of them beyond its return it must
   * pin. Rejects if they were lost with the thread that had them.
   */
  read<Result>(use: (bytes: Buffer) => Result): Result | Promise<Result> {
    if (this.#buffer !== undefined) return use(Buffer.from(this.#buffer));
    return new Promise((resolve, reject) => {
      if (this.#lost) {
        reject(lost());
        return;
      }
      // Called in the turn in which the bytes come back: after it somebody else may have borrowed them.
      this.#wait((bytes) => {
        if (bytes === undefined) {
          reject(lost());
          return;
        }
        try {
          resolve(use(bytes));
        } catch (error) {
          // Thrown on, it would keep others from hearing that the bytes are back.
          reject(error);
        }
      });
    });
  }

  /** The bytes of something that is never lent. */
  get here(): Buffer {
    if (this.#buffer === undefined) throw lost();
    return Buffer.from(this.#buffer);
  }

  /** Keeps the bytes where they are until the returned function is called. Only for bytes that are here. */
  pin(): () => void {
    this.#pins += 1;
    return () => {
      this.#pins -= 1;
      this.#freeIfUnwanted();
    };
  }

  /** The bytes where they lie, pinned until released; undefined while they are lent. */
  peek(): { readonly bytes: Buffer; release(): void } | undefined {
    return this.#buffer === undefined ? undefined : { bytes: Buffer.from(this.#buffer), release: this.pin() };
  }

  /** Keeps the bytes from being freed by {@link discard} until as many {@link letGo}s. */
  hold(): void {
    this.#holds += 1;
  }

  letGo(): void {
    this.#holds -= 1;
    this.#freeIfUnwanted();
  }

  /** The same bytes for one more value: they need as many more {@link discard}s. */
  share(): this {
    this.#owners += 1;
    return this;
  }

  /** Frees the bytes as soon as nobody holds, pins or has borrowed them. The last value that has them may not ask for them afterwards. */
  discard(): void {
    this.#owners -= 1;
    this.#freeIfUnwanted();
    if (this.#owners > 0 || this.#lost || this.#lingers || this.byteLength < spareFromBytes) return;
    this.#lingers = true;
    countLingering(this.byteLength);
  }

  async borrow(): Promise<BytesLoan> {
    this.hold();
    try {
      return await this.#borrow();
    } finally {
      this.letGo();
    }
  }

  async #borrow(): Promise<BytesLoan> {
    let buffer = this.#buffer;
    while (buffer === undefined) {
      if (this.#lost) throw lost();
      await new Promise<void>((resolve) => this.#wait(() => resolve()));
      buffer = this.#buffer;
    }
    if (buffer.byteLength <= copyLimitBytes) return copyLoan(buffer.slice(0));
    if (this.#pins > 0) return copyLoan(await this.#copyInSlices(Buffer.from(buffer)));
    this.#buffer = undefined;
    return {
      buffer,
      missed: true,
      giveBack: (buffer) => this.#comeBack(buffer),
    };
  }

  #comeBack(buffer: ArrayBuffer | undefined): void {
    if (buffer === undefined) {
      this.#lost = true;
      this.#endLingering();
    }
    this.#buffer = buffer;
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const wake of waiting) wake(this.#buffer && Buffer.from(this.#buffer));
    this.#freeIfUnwanted();
  }

  #wait(wake: (bytes: Buffer | undefined) => void): void {
    this.#waiting ??= [];
    this.#waiting.push(wake);
  }

  #freeIfUnwanted(): void {
    if (this.#owners > 0 || this.#holds > 0 || this.#pins > 0 || this.#buffer === undefined) return;
    if (this.byteLength < spareFromBytes) return;
    const buffer = this.#buffer;
    this.#buffer = undefined;
    this.#endLingering();
    this.#lost = true;
    putBack(buffer);
  }

  #endLingering(): void {
    if (this.#lingers) countLingering(-this.byteLength);
    this.#lingers = false;
  }

  async #copyInSlices(bytes: Buffer): Promise<ArrayBuffer> {
    const unpin = this.pin();
    try {
      const copy = Buffer.allocUnsafeSlow(bytes.length);
      for (let at = 0; at < bytes.length; at += sliceBytes) {
        bytes.copy(copy, at, at, Math.min(at + sliceBytes, bytes.length));
        await nextTurn();
      }
      return copy.buffer as ArrayBuffer;
    } finally {
      unpin();
    }
  }
}

function lost(): Error {
  return new Error('the bytes were lost when an inference thread ended');
}

function copyLoan(buffer: ArrayBuffer): BytesLoan {
  return { buffer, missed: false, giveBack: () => undefined };
}

/** `bytes` itself if it covers an ArrayBuffer of its own, else a copy that does. What is kept must not pin a socket's chunk. */
export function ownBytes(bytes: Buffer): Buffer {
  if (bytes.length === bytes.buffer.byteLength) return bytes;
  const copy = takeBuffer(bytes.length);
  copy.set(bytes);
  return copy;
}
