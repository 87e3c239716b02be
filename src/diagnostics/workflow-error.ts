import type { ErrorCode } from './codes.js';
import type { SourceLocation } from './source-location.js';

/** One thing that is wrong (or doubtful) in a user's input. Plain data: rendering is `renderProblem`'s. */
export interface Problem {
  readonly code: ErrorCode;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** Advice on what to do, in the words of the DSL. */
  readonly hint?: string | undefined;
  readonly at?: SourceLocation | undefined;
}

/** Parts of a {@link WorkflowError} with a single problem. */
export interface WorkflowErrorDetails {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly at?: SourceLocation | undefined;
  readonly cause?: unknown;
}

/** A mistake in a user's input or surroundings: one or more problems, each with a code, a hint and a place. */
export class WorkflowError extends Error {
  override readonly name = 'WorkflowError';
  readonly problems: readonly [Problem, ...Problem[]];

  constructor(details: WorkflowErrorDetails | readonly [Problem, ...Problem[]]) {
    const problems = isProblems(details) ? details : ([toProblem(details)] as const);
    super(problems[0].message, isProblems(details) ? undefined : { cause: details.cause });
    this.problems = [...problems];
  }

  get code(): ErrorCode {
    return this.problems[0].code;
  }

  get hint(): string | undefined {
    return this.problems[0].hint;
  }

  get at(): SourceLocation | undefined {
    return this.problems[0].at;
  }
}

function isProblems(
  details: WorkflowErrorDetails | readonly [Problem, ...Problem[]],
): details is readonly [Problem, ...Problem[]] {
  return Array.isArray(details);
}

function toProblem({ code, message, hint, at }: WorkflowErrorDetails): Problem {
  return { code, severity: 'error', message, hint, at };
}
