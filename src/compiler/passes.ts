import { type Problem, Problems } from '../diagnostics/index.js';

/** A sequence of passes. Each pass reads results of earlier passes, and its type says which. */
export class Passes<Results extends object> {
  constructor(
    readonly results: Results,
    readonly problems: Problems,
    /** True after a stop that errors have passed. */
    private readonly isDoubtful = false,
  ) {}

  /** Runs a pass that adds results. */
  add<Added extends object>(pass: (results: Results, problems: Problems) => Added): Passes<Results & Added> {
    return new Passes({ ...this.results, ...this.#run(pass) }, this.problems, this.isDoubtful);
  }

  /** Runs passes that only report problems. */
  check(...passes: readonly ((results: Results, problems: Problems) => void)[]): this {
    for (const pass of passes) this.#run(pass);
    return this;
  }

  /**
   * Stops if a problem so far is an error that the passes below cannot do without; by default each is. With other errors they go on as far as
   * they come, so that a user sees independent problems at once.
   *
   * @throws WorkflowError with all problems so far.
   */
  stopOnErrors(isFatal: (problem: Problem) => boolean = () => true): Passes<Results> {
    const errors = this.problems.sorted().filter(({ severity }) => severity === 'error');
    if (errors.some(isFatal)) this.problems.throwIfErrors();
    return new Passes(this.results, this.problems, errors.length > 0);
  }

  #run<Result>(pass: (results: Results, problems: Problems) => Result): Result {
    if (!this.isDoubtful) return pass(this.results, this.problems);
    const further = new Problems(this.problems);
    const keep = () => this.problems.add(this.#independent(further));
    try {
      const result = pass(this.results, further);
      keep();
      return result;
    } catch (error) {
      keep();
      // The errors so far are the cause, and reason enough.
      this.problems.throwIfErrors();
      throw error;
    }
  }

  /** Problems at lines of which nothing is reported yet: a value that is left out since it is wrong may be missed by others of its call. */
  #independent(further: Problems): Problem[] {
    const line = ({ at }: Problem) => `${at?.file}:${at?.line}`;
    const errors = this.problems.sorted().filter(({ at, severity }) => at !== undefined && severity === 'error');
    const known = new Set(errors.map(line));
    return further.sorted().filter((problem) => !known.has(line(problem)));
  }
}
