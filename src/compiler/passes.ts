import type { Problems } from '../diagnostics/index.js';

/** A sequence of passes. Each pass reads results of earlier passes, and its type says which. */
export class Passes<Results extends object> {
  constructor(
    readonly results: Results,
    readonly problems: Problems,
  ) {}

  /** Runs a pass that adds results. */
  add<Added extends object>(pass: (results: Results, problems: Problems) => Added): Passes<Results & Added> {
    return new Passes({ ...this.results, ...pass(this.results, this.problems) }, this.problems);
  }

  /** Runs passes that only report problems. */
  check(...passes: readonly ((results: Results, problems: Problems) => void)[]): this {
    for (const pass of passes) pass(this.results, this.problems);
    return this;
  }

  /** @throws WorkflowError with all problems so far, if one of them is an error. */
  stopOnErrors(): this {
    this.problems.throwIfErrors();
    return this;
  }
}
