import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WorkflowError } from '../../diagnostics/index.js';
import { moduleName } from '../../runtime/engine/find-engine.js';
import { runProgram } from '../run-program.js';

/** Seconds that a compiler has. */
const timeoutSeconds = 300;

/** Compilers as command lines, in the order in which they are tried; the last ones make a module for older systems, too. */
const compilers: readonly (readonly string[])[] = [
  ['cc'],
  ['gcc'],
  ['clang'],
  ['zig', 'cc'],
  ['python3', '-m', 'ziglang', 'cc'],
];

/** Options of a build. */
export interface Build {
  /** Folder that gets the module, made if it is not there. */
  readonly folder: string;
  /** A compiler instead of those that are tried, as words. */
  readonly compiler?: readonly string[] | undefined;
  /** Module that stands in where there is no compiler, if it is there. Default: the one that this release carries for machines like this. */
  readonly prebuilt?: string | undefined;
  /** Options beside ours. */
  readonly flags?: readonly string[];
}

/** A module that has been put in its place. */
export interface BuiltModule {
  readonly path: string;
  /** Command that has built it; undefined if it came with the release. */
  readonly compiler: string | undefined;
  readonly seconds: number;
}

/** Folder of the module's source: in the package, and in a checkout. */
export function sourceFolder(): string {
  return fileURLToPath(new URL('../../../native/', import.meta.url));
}

/** The module that a release carries for machines like this, if it was packed with one: CONTRIBUTING.md says how. */
export function prebuiltModule(): string {
  return fileURLToPath(new URL(`../../../prebuilt/linux-${process.arch}/engine/${moduleName}`, import.meta.url));
}

/**
 * Builds the server's module with the C compiler that is there, or takes the one that the release carries. The file is whole or not there.
 * @throws WorkflowError
 */
export async function buildModule({
  folder,
  compiler,
  flags = [],
  prebuilt = prebuiltModule(),
}: Build): Promise<BuiltModule> {
  const begun = performance.now();
  const words = compiler ?? (await firstCompiler());
  if (words === undefined && !existsSync(prebuilt)) throw noCompiler();
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw cannotWrite(folder, error);
  }
  const scratch = scratchIn(folder);
  try {
    const out = join(scratch, moduleName);
    if (words === undefined) copyFileSync(prebuilt, out);
    else await compileTo(out, words, flags);
    // Redis 7 refuses a module that nobody may execute.
    chmodSync(out, 0o755);
    const path = join(folder, moduleName);
    renameSync(out, path);
    return { path, compiler: words?.join(' '), seconds: (performance.now() - begun) / 1000 };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function compileTo(out: string, words: readonly string[], flags: readonly string[]): Promise<void> {
  const line = [...words, '-std=c11', '-O2', '-fPIC', '-pthread', '-shared', '-fvisibility=hidden', ...flags];
  const source = join(sourceFolder(), 'simwright.c');
  const { exitCode, stderr, code } = await runProgram([...line, '-o', out, source, '-lm'], { timeoutSeconds });
  if (exitCode === 0 && existsSync(out)) return;
  const said = stderr.trim().split('\n').slice(0, 5);
  throw new WorkflowError({
    code: 'RUN1041',
    message: [`${words.join(' ')} did not build the module (${code ?? `exit code ${exitCode}`})`, ...said].join('\n  '),
    hint: 'it needs a C compiler with the headers of the C library (gcc and libc6-dev, or pip install ziglang); --cc names another',
  });
}

function scratchIn(folder: string): string {
  try {
    return mkdtempSync(join(folder, '.build-'));
  } catch (error) {
    throw cannotWrite(folder, error);
  }
}

function cannotWrite(folder: string, error: unknown): WorkflowError {
  const reason = error instanceof Error ? error.message : String(error);
  return new WorkflowError({ code: 'OUT1002', message: `${folder} cannot be written: ${reason}`, cause: error });
}

/** Undefined where there is none. */
async function firstCompiler(): Promise<readonly string[] | undefined> {
  for (const words of compilers) {
    const { exitCode } = await runProgram([...words, '--version'], { timeoutSeconds: 30 });
    if (exitCode === 0) return words;
  }
  return undefined;
}

function noCompiler(): WorkflowError {
  return new WorkflowError({
    code: 'RUN1041',
    message: `there is no C compiler on the PATH: ${compilers.map((words) => words.join(' ')).join(', ')}`,
    hint: 'load a module that has one, or run pip install ziglang: it needs no root; --cc names another',
  });
}
