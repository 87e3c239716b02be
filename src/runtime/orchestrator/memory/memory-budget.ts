import { lingeringBytes } from './lingering.js';

/** The store's memory, as far as a budget needs it. */
export interface StoreMemory {
  /** Limit of memory in bytes; 0 for no limit. */
  limitBytes(): number;
  /** Size in bytes of the values that keys hold. */
  usedBytes(): number;
  /** True if keys may be evicted. */
  evicts(): boolean;
  /** Evicts keys until the values take at most `bytes`. False if that is not possible. */
  makeRoom(bytes: number): boolean;
}

/** Most bytes of whole buffers that wait for their content, except that a single one may have any size. */
const mostPromisedBytes = 1024 ** 3;
/** When less than this part of the limit is free, memory is short. */
const shortShare = 1 / 16;

/** The part of a budget that belongs to one thing. */
export class MemoryAccount {
  readonly #budget: MemoryBudget;
  #bytes = 0;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  /** Sets the part to so many bytes. False, and nothing changes, if they do not fit. */
  reserve(bytes: number): boolean {
    if (!this.#budget.reserve(bytes - this.#bytes)) return false;
    this.#bytes = bytes;
    return true;
  }

  /** Makes it so many bytes, which have been taken already. */
  set(bytes: number): void {
    this.#budget.add(bytes - this.#bytes);
    this.#bytes = bytes;
  }
}

/**
 * The memory that a server may take, beside that of the values: requests that arrive, replies that nobody has read yet, sessions of models,
 * and former values that somebody still reads.
 */
export class MemoryBudget {
  readonly #store: StoreMemory;
  #bytes = 0;
  #promised = 0;

  constructor(store: StoreMemory) {
    this.#store = store;
  }

  /** Bytes beside those of the values. */
  get otherBytes(): number {
    return this.#bytes + lingeringBytes();
  }

  /** Sets memory aside, until {@link release}. False if there is none. */
  reserve(bytes: number): boolean {
    if (!this.hasRoom(bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  /** Counts memory that has been taken already. */
  add(bytes: number): void {
    this.#bytes += bytes;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** Memory for something that grows and shrinks. */
  account(): MemoryAccount {
    return new MemoryAccount(this);
  }

  /**
   * Promises memory to a large argument that has been announced. Others that are announced have to leave it room, small requests need not.
   * Untouched memory takes nothing, but V8 counts it, and collects garbage for seconds on end when many make large buffers: `growing`
   * should make its buffer larger as bytes come.
   */
  promise(bytes: number): 'refused' | 'whole' | 'growing' {
    const limit = this.#store.limitBytes();
    const used = this.#store.evicts() ? 0 : this.#store.usedBytes();
    if (limit > 0 && used + this.otherBytes + this.#promised + bytes > limit) return 'refused';
    const isAlone = this.#promised === 0;
    this.#promised += bytes;
    return isAlone || this.#promised <= mostPromisedBytes ? 'whole' : 'growing';
  }

  /** Ends a promise of so many bytes: they are there, or will not come. */
  keepPromise(bytes: number): void {
    this.#promised -= bytes;
  }

  /** True if `bytes` more fit. Evicts keys for them where that is allowed. */
  hasRoom(bytes: number): boolean {
    const limit = this.#store.limitBytes();
    if (limit === 0) return true;
    if (this.#store.usedBytes() + this.otherBytes + bytes <= limit) return true;
    if (this.otherBytes + bytes > limit || !this.#store.makeRoom(limit - this.otherBytes - bytes)) return false;
    // An evicted value may still be in use by a reader.
    return this.otherBytes + bytes <= limit;
  }

  /** True if so little is left that nobody should get more than needed. */
  get isShort(): boolean {
    const limit = this.#store.limitBytes();
    return limit > 0 && this.#store.usedBytes() + this.otherBytes > limit * (1 - shortShare);
  }
}
