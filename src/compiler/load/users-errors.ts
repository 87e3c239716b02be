import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { locationInStack, type Problem, WorkflowError } from '../../diagnostics/index.js';
import { origin } from './guard.js';
import { unknownName } from './unknown-name.js';

/** A warning for an error that a user's code threw after its file had been read; undefined for an error of other code. */
export function lateProblem(error: unknown): Problem | undefined {
  const users = origin(error);
  if (users === undefined) return undefined;
  const [problem] = asWorkflowError(error, users.file, users.what).problems;
  return { ...problem, severity: 'warning', message: `${problem.message} (after the file was read)` };
}

/** The path of a file that tsx calls `.ts` or `.js`, whichever module it is. */
function asThere(path: string): string {
  const names = ['', 'm', 'c'].map((kind) => path.replace(/(?=[jt]s$)/, kind));
  return names.find((name) => existsSync(name)) ?? path;
}

/** A hint for a file that uses what modules alone have, and is read as CommonJS. */
function moduleHint(file: string): string {
  const name = basename(file).replace(/\.c?([jt]s)$/, '.m$1');
  return `call it ${name}, or write "type": "module" into the package.json of its folder`;
}

/** Converts what a user's file threw to a WorkflowError, with the place of the user's own line. */
export function asWorkflowError(error: unknown, file: string, what: string): WorkflowError {
  if (error instanceof WorkflowError) return error;
  const { message, stack, name, code } =
    error instanceof Error
      ? (error as NodeJS.ErrnoException)
      : { message: String(error), stack: '', name: 'Error', code: undefined };
  const syntax = /^(?:.*\n)?(\/.+?):(\d+):(\d+): (?:ERROR|error): (.+)$/m.exec(message);
  if (syntax !== null) {
    const at = { file: asThere(syntax[1] ?? file), line: Number(syntax[2]), column: Number(syntax[3]) + 1 };
    const hint = /"cjs" output format/.test(message) ? moduleHint(file) : undefined;
    return new WorkflowError({
      code: 'LOAD1002',
      message: `the ${what} does not compile: ${syntax[4]}`,
      ...(hint === undefined ? {} : { hint }),
      at,
      cause: error,
    });
  }
  const own = locationInStack(stack, (path) => path === file);
  const at = own ?? locationInStack(stack, (path) => !path.includes('/node_modules/')) ?? { file, line: 1, column: 1 };
  const missing = /Cannot find (?:module|package) '([^']+)'/.exec(message);
  if (missing !== null && (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND')) {
    const hint =
      missing[1] === 'simwright' ? 'npm install simwright, in the folder of the workflow or above it' : undefined;
    return new WorkflowError({
      code: 'LOAD1003',
      message: `the ${what} imports '${missing[1]}', which is not there`,
      hint,
      at: own ?? { file, line: 1, column: 1 },
      cause: error,
    });
  }
  const unknown =
    name === 'TypeError' || name === 'SyntaxError' ? unknownName({ message, stack: stack ?? '' }, file) : undefined;
  if (unknown !== undefined) {
    const place = unknown.at ?? at;
    const text = `the ${what} ${unknown.message}`;
    return new WorkflowError({ code: 'LOAD1003', message: text, hint: unknown.hint, at: place, cause: error });
  }
  const first = message.split('\n')[0] ?? '';
  return new WorkflowError({ code: 'LOAD1003', message: `the ${what} throws ${name}: ${first}`, at, cause: error });
}
