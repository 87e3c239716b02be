import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { type BackendName, backends } from '../../../../ml/backends.js';
import { pythonPackageFolder } from './package-folder.js';

/** A package of a framework that a Python has. The version is empty if it does not tell. */
export interface FrameworkVersion {
  readonly package: string;
  readonly version: string;
  /** The oldest version of this package that goes. */
  readonly least: string;
}

/** True if a package is too old: `2.1.0+cpu` is compared by its numbers. What does not tell its version is taken. */
export function isOlder({ version, least }: FrameworkVersion): boolean {
  const [found, needed] = [numbersOf(version), numbersOf(least)];
  const differs = needed.findIndex((part, index) => (found[index] ?? 0) !== part);
  return version !== '' && differs >= 0 && (found[differs] ?? 0) < (needed[differs] ?? 0);
}

function numbersOf(version: string): number[] {
  return (/^[\d.]+/.exec(version)?.[0] ?? '').split('.').map(Number);
}

/** Answer of a Python to what it can run. */
export interface Probe {
  /** Absolute path, as it says itself. */
  readonly python: string;
  readonly version: string;
  readonly frameworks: Readonly<Record<BackendName, FrameworkVersion | null>>;
  readonly numpy: string | null;
}

/** The name or path of the Python for workers: `given` (the site's, or `--python`), `$SIMWRIGHT_PYTHON`, else `python3`. */
export function pythonAsked(given?: string): string {
  return given || process.env['SIMWRIGHT_PYTHON'] || 'python3';
}

/** Absolute path of the Python for workers; a name without a slash is looked for on PATH. Undefined if there is no such program. */
export function pythonPath(given?: string): string | undefined {
  const asked = pythonAsked(given);
  if (asked.includes('/')) return isProgram(resolve(asked)) ? resolve(asked) : undefined;
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  return folders.map((folder) => join(folder, asked)).find(isProgram);
}

/** The Python for workers: its absolute path, or what was asked for if there is none. */
export function findPython(given?: string): string {
  return pythonPath(given) ?? pythonAsked(given);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Longest time for the answer: a parallel file system may be slow. */
const probeMs = 60_000;

/** Asks a Python what it can run; it imports no framework for that. Rejects with a plain sentence if it does not answer. */
export function probePython(python: string): Promise<Probe> {
  const { path, folder, environment } = workerCommand(python);
  return new Promise((resolve, reject) => {
    execFile(
      path,
      ['-B', '-m', 'simwright.worker', '--probe'],
      { cwd: folder, env: environment, timeout: probeMs, maxBuffer: 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) {
          try {
            resolve(JSON.parse(stdout) as Probe);
            return;
          } catch {
            reject(new Error(`${python} did not say which packages it has: ${stdout.slice(0, 200)}`));
            return;
          }
        }
        const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
        const lastLine = stderr.trim().split('\n').at(-1) ?? '';
        reject(
          new Error(
            isMissing
              ? `there is no ${python}`
              : `${python} failed: ${lastLine || error.message.trim().split('\n')[0]}`,
          ),
        );
      },
    );
  });
}

/** Program, working directory and environment of a worker. @throws Error if this installation lacks the Python package */
export function workerCommand(python: string): { path: string; folder: string; environment: NodeJS.ProcessEnv } {
  const folder = pythonPackageFolder();
  if (folder === undefined) {
    throw new Error('the Python package of workers is not beside the runtime: compile the workflow again');
  }
  const others = process.env['PYTHONPATH'];
  const paths = [folder, ...(others ? [others] : [])].join(delimiter);
  const quiet = { TF_CPP_MIN_LOG_LEVEL: '2', ORT_DISABLE_TELEMETRY: '1' };
  // The next run needs the memory of the last one: giving it back in between costs a page fault for every 4 KiB.
  const memory = { MALLOC_TRIM_THRESHOLD_: '268435456', MALLOC_MMAP_THRESHOLD_: '33554432' };
  // Python puts the working directory before all packages: it must not be anybody else's.
  return { path: python, folder, environment: { ...quiet, ...memory, ...process.env, PYTHONPATH: paths } };
}

/** Text for a framework that a Python lacks. */
export function lacksFramework(backend: BackendName, python: string): string {
  const { package: name, least } = backends[backend].worker;
  return `${backend} needs ${name} ≥ ${least} in ${python}, which has none: load its module, or name another Python (python of the site, --python, $SIMWRIGHT_PYTHON)`;
}
