import { AsyncLocalStorage } from 'node:async_hooks';
import { dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { locationInStack, WorkflowError } from '../../diagnostics/index.js';

/** A user's file that is being evaluated. */
interface UsersFile {
  readonly file: string;
  /** Kind of file: `workflow`, `site`. */
  readonly what: string;
}

interface Guarded extends UsersFile {
  /** Ends the evaluation, if it still goes on, with an error. */
  fail(error: unknown): void;
}

/** Set in code of a user's file, and in all that it has started: timers, promises, callbacks. */
const usersCode = new AsyncLocalStorage<Guarded>();

/** Seconds after which the user is told what the command waits for. */
const patienceSeconds = 10;

const loaded: UsersFile[] = [];
let loading = 0;

/** True once a user's file has been evaluated: what it has left running would keep the process from ending. */
export function hasLoadedUsersCode(): boolean {
  return loaded.length > 0;
}

/** True while a user's file is evaluated: its errors are those of the evaluation. */
export function isLoadingUsersCode(): boolean {
  return loading > 0;
}

/** The user's file that an uncaught error comes from; undefined for an error of other code. */
export function origin(error: unknown): UsersFile | undefined {
  // A thrown value that is not an Error does not tell where it comes from. No code of ours throws such values.
  if (!(error instanceof Error)) return loaded[0];
  return loaded.find(({ file }) => locationInStack(error.stack, (path) => path.startsWith(`${dirname(file)}/`)));
}

/**
 * Evaluates a user's file so that it can harm neither the process nor its output: `process.exit` is an error, what it prints goes to standard
 * error, a promise that rejects while nobody looks is an error, and so is a top level that can never end.
 */
export async function guarded<Result>(users: UsersFile, load: () => Promise<Result>): Promise<Result> {
  installOnce();
  let fail: (error: unknown) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // The failure may come after the evaluation has ended in another way.
  failure.catch(() => {});
  const undo = listen({ unhandledRejection: fail, uncaughtException: fail, beforeExit: () => fail(neverEnds(users)) });
  const patience = setTimeout(() => {
    process.stderr.write(`still waiting for the top level of ${users.file} to end\n`);
  }, patienceSeconds * 1000);
  patience.unref();
  const before = { exitCode: process.exitCode, cwd: process.cwd() };
  loaded.push(users);
  loading++;
  try {
    const evaluation = usersCode.run({ ...users, fail }, load);
    evaluation.catch(() => {});
    const result = await Promise.race([evaluation, failure]);
    // A rejection that nobody handles is told when all that was ready to run has run.
    await Promise.race([setImmediate(), failure]);
    return result;
  } finally {
    loading--;
    clearTimeout(patience);
    undo();
    process.exitCode = before.exitCode;
    if (process.cwd() !== before.cwd) process.chdir(before.cwd);
  }
}

function listen(listeners: Readonly<Record<string, (error: unknown) => void>>): () => void {
  for (const [event, listener] of Object.entries(listeners)) process.on(event, listener);
  return () => {
    for (const [event, listener] of Object.entries(listeners)) process.off(event, listener);
  };
}

let isInstalled = false;

/** Changes what a user's code gets of the process; for all other code nothing changes. */
function installOnce(): void {
  if (isInstalled) return;
  isInstalled = true;
  const { exit } = process;
  process.exit = (...code) => {
    const users = usersCode.getStore();
    // No code and an undefined one are two things.
    if (users === undefined) return exit(...code);
    const error = endsProcess(users);
    // The code may catch what is thrown at it.
    users.fail(error);
    throw error;
  };
  const { write } = process.stdout;
  process.stdout.write = function (this: unknown, ...words: Parameters<typeof write>): boolean {
    const stream = usersCode.getStore() === undefined ? this : process.stderr;
    return Reflect.apply(stream === this ? write : process.stderr.write, stream, words);
  } as typeof write;
}

function endsProcess({ file, what }: UsersFile): WorkflowError {
  return new WorkflowError({
    code: 'LOAD1005',
    message: `the ${what} calls process.exit()`,
    hint: "throw an error instead; a workflow's file only describes what is to run",
    at: locationInStack(new Error().stack ?? '', (path) => path === file) ?? { file, line: 1, column: 1 },
  });
}

function neverEnds({ file, what }: UsersFile): WorkflowError {
  return new WorkflowError({
    code: 'LOAD1006',
    message: `the ${what} never ends: it awaits something that can no longer happen`,
    hint: 'look at what its top level awaits',
    at: { file, line: 1, column: 1 },
  });
}
