import type { Dtype } from '../../../ml/dtypes.js';

/** Bytes handed to another thread for a while. */
export interface Loan {
  /** To be transferred. */
  readonly buffer: ArrayBuffer;
  /** True if the owner misses them: they are to come back soon. A loan that is not missed is a copy. */
  readonly missed: boolean;
  /** Takes the bytes back after the transfer; undefined when they were lost with their thread. */
  giveBack(buffer: ArrayBuffer | undefined): void;
}

/** Bytes that can be lent. */
export interface ByteSource {
  readonly byteLength: number;
  /** A number of its own: what is borrowed together is borrowed in this order. */
  readonly serial: number;
  borrow(): Promise<Loan>;
  /** The bytes where they lie, not to be moved until released; undefined while they are lent. */
  peek(): { readonly bytes: Uint8Array; release(): void } | undefined;
  /** Keeps the bytes from being freed by {@link discard} until as many {@link letGo}s. */
  hold(): void;
  letGo(): void;
  /** Frees the bytes: nobody asks for them any more. */
  discard(): void;
}

/** A tensor that the AI layer reads. The bytes do not change while it is held. */
export interface TensorSource {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly bytes: ByteSource;
}

/** A tensor that the AI layer made. */
export interface ResultTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly buffer: ArrayBuffer;
}
