/** A place in a script's text. Both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/**
 * Kinds of problems of a script: `syntax` is no TorchScript, `subset` needs PyTorch, `failed` is what PyTorch refuses as well when it
 * compiles or runs the function.
 */
export type ProblemKind = 'syntax' | 'subset' | 'failed';

/** A problem of a script, with its place in the text. */
export interface ScriptProblem extends Place {
  readonly kind: ProblemKind;
  readonly message: string;
}

/** A script cannot be compiled, or not run with these inputs. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError';

  constructor(readonly problem: ScriptProblem) {
    super(describe(problem));
  }
}

/** A refusal that does not know its place: whoever evaluates the expression adds it. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly kind: ProblemKind,
    message: string,
  ) {
    super(message);
  }
}

/** An error as PyTorch raises it, too. */
export function failed(message: string): Refusal {
  return new Refusal('failed', message);
}

/** A part of TorchScript that needs PyTorch. */
export function outside(what: string): Refusal {
  return new Refusal('subset', what);
}

/** The problem in one line, with its place. */
export function describe({ kind, message, line, column }: ScriptProblem): string {
  const place = `line ${line}, column ${column}`;
  if (kind === 'syntax') return `${message} (${place})`;
  if (kind === 'failed') return `${message} (${place})`;
  return `${message} (${place}) needs PyTorch, which the Python of this store does not have`;
}
