import type { ErrorCode } from './codes.js';
import type { SourceLocation } from './source-location.js';
import { type Problem, WorkflowError } from './workflow-error.js';

/** Gathers problems, so that a user sees all of them at once. */
export class Problems {
  readonly #list: Problem[] = [];
  readonly #earlier: Problems | undefined;

  /** `earlier` are problems found before, which these may follow from. */
  constructor(earlier?: Problems) {
    this.#earlier = earlier;
  }

  error(code: ErrorCode, message: string, at: SourceLocation | undefined, hint?: string): void {
    this.#list.push({ code, severity: 'error', message, hint, at });
  }

  warning(code: ErrorCode, message: string, at: SourceLocation | undefined, hint?: string): void {
    this.#list.push({ code, severity: 'warning', message, hint, at });
  }

  add(problems: Iterable<Problem>): void {
    for (const problem of problems) this.#list.push(problem);
  }

  /** All problems, each once, sorted by place; those without a place come last. */
  sorted(): Problem[] {
    // A command that several entities share brings its problems along with each.
    const unlike = new Map(this.#list.map((problem) => [JSON.stringify(problem), problem]));
    return [...unlike.values()].sort(byPlace);
  }

  get hasErrors(): boolean {
    return this.#list.some((problem) => problem.severity === 'error');
  }

  /** True if an error was found at that place, here or before. */
  hasErrorAt(at: SourceLocation | undefined): boolean {
    if (at === undefined) return false;
    const isThere = this.#list.some((problem) => problem.severity === 'error' && isSamePlace(problem.at, at));
    return isThere || this.#earlier?.hasErrorAt(at) === true;
  }

  /** Throws a {@link WorkflowError} with everything gathered if any of it is an error. */
  throwIfErrors(): void {
    if (!this.hasErrors) return;
    const [first, ...rest] = this.sorted();
    if (first !== undefined) throw new WorkflowError([first, ...rest]);
  }
}

function isSamePlace(one: SourceLocation | undefined, other: SourceLocation): boolean {
  return one?.file === other.file && one.line === other.line && one.column === other.column;
}

function byPlace(a: Problem, b: Problem): number {
  if (a.at === undefined || b.at === undefined) return Number(a.at === undefined) - Number(b.at === undefined);
  if (a.at.file !== b.at.file) return a.at.file < b.at.file ? -1 : 1;
  return a.at.line - b.at.line || a.at.column - b.at.column;
}
