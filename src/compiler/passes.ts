import type { Problems } from '../diagnostics/index.js';

/** A sequence of passes. Each pass reads results of earlier passes, and its type says which. */
export class Passes<Known extends object> {
  constructor(
    readonly known: Known,
    readonly problems: Problems,
  ) {}

  /** Runs a pass that adds results. */
  add<Added extends object>(pass: (known: Known, problems: Problems) => Added): Passes<Known & Added> {
    return new Passes({ ...this.known, ...pass(this.known, this.problems) }, this.problems);
  }

  /** Runs passes that only report problems. */
  check(...passes: readonly ((known: Known, problems: Problems) => void)[]): this {
    for (const pass of passes) pass(this.known, this.problems);
    return this;
  }

  /** @throws WorkflowError with all problems so far, if one of them is an error. */
  stopOnErrors(): this {
    this.problems.throwIfErrors();
    return this;
  }
}
