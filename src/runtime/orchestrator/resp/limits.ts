/** Limits of a request. */
export interface RequestLimits {
  /** The longest argument, in bytes. */
  readonly maxBulkBytes: number;
  /** The most words in a request. */
  readonly maxArguments: number;
  /** A request of more words than this is read past, so many and one more of them aside: whoever gets it refuses it. */
  readonly keptArguments?: number;
}

/** 4 GiB less 1 an argument (one Node buffer holds no more), 1,048,576 arguments. */
export const defaultLimits: RequestLimits = { maxBulkBytes: 4 * 1024 ** 3 - 1, maxArguments: 1024 * 1024 };
