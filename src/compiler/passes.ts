import type { Problems } from '../diagnostics/index.js';

/** Passes over what is known, one after the other. Each sees what those before it have found out, as far as it says that it reads it. */
export class Passes<Known extends object> {
  constructor(
    readonly known: Known,
    readonly problems: Problems,
  ) {}

  /** A pass that adds to what is known, and may meet problems. */
  add<Added extends object>(pass: (known: Known, problems: Problems) => Added): Passes<Known & Added> {
    return new Passes({ ...this.known, ...pass(this.known, this.problems) }, this.problems);
  }

  /** Passes that look for problems, and add nothing. */
  check(...passes: readonly ((known: Known, problems: Problems) => void)[]): this {
    for (const pass of passes) pass(this.known, this.problems);
    return this;
  }

  /** @throws WorkflowError with every problem met so far, if one is an error. */
  stopOnErrors(): this {
    this.problems.throwIfErrors();
    return this;
  }
}
