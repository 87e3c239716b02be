import type { Refusal } from './standins.js';

/** A refusal on its way from a reader to the command that was called. */
export class Refused extends Error implements Refusal {
  constructor(
    /** Text on standard error, without the last line's end. */
    readonly stderr: string,
    readonly code: number,
  ) {
    super(stderr);
  }
}

/** The result of some work, or the refusal that it ended with. */
export function refusedOr<Result>(work: () => Result): Result | Refusal {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refused) return { stderr: `${error.stderr}\n`, code: error.code };
    throw error;
  }
}
