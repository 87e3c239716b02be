import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { locationInStack, WorkflowError } from '../../diagnostics/index.js';
import {
  type Authored,
  type AuthoredExperiment,
  authoredExperiment,
  type ExperimentDeclaration,
} from '../../ir/index.js';

/** An experiment as its file declares it. */
export interface LoadedWorkflow extends Authored<ExperimentDeclaration> {
  /** Absolute path of the workflow's file. */
  readonly file: string;
}

/**
 * Evaluates a workflow's file (TypeScript or JavaScript, either module system) and returns the experiment it exports by default.
 *
 * @throws WorkflowError if it cannot be read, does not compile, throws, or exports no experiment.
 */
export async function loadWorkflow(path: string): Promise<LoadedWorkflow> {
  const file = resolve(path);
  const exported = await loadModule(file, 'workflow');
  if (!isAuthored(exported)) {
    throw new WorkflowError({
      code: 'LOAD1004',
      message: `${path} has no experiment as its default export`,
      hint: "write: export default experiment('name').model(...)",
      at: { file, line: 1, column: 1 },
    });
  }
  return { file, ...exported[authoredExperiment] };
}

/**
 * The default export of a user's module.
 *
 * @throws WorkflowError with the place of the user's own line that failed.
 */
export async function loadModule(file: string, what: string): Promise<unknown> {
  if (!existsSync(file)) {
    throw new WorkflowError({ code: 'LOAD1001', message: `there is no ${what} file ${file}` });
  }
  if (!statSync(file).isFile()) {
    throw new WorkflowError({ code: 'LOAD1001', message: `${file} is no file, so it cannot be a ${what}` });
  }
  try {
    // tsx keeps lines and columns in both module systems only if each is loaded by its own interface.
    return defaultExport(isModule(file) ? await importModule(file) : await requireModule(file));
  } catch (error) {
    throw asWorkflowError(error, file, what);
  }
}

/** Each interface of tsx is loaded where it is used: it takes a good part of a command's time. */
async function importModule(file: string): Promise<unknown> {
  const { tsImport } = await import('tsx/esm/api');
  return tsImport(file, import.meta.url);
}

async function requireModule(file: string): Promise<unknown> {
  const { require: requireTypeScript } = await import('tsx/cjs/api');
  return requireTypeScript(file, import.meta.url);
}

/** Node's own rule: the extension decides, else the nearest package.json. */
function isModule(file: string): boolean {
  const extension = extname(file);
  if (extension === '.mts' || extension === '.mjs') return true;
  if (extension === '.cts' || extension === '.cjs') return false;
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest)) {
      const { type } = JSON.parse(readFileSync(manifest, 'utf8')) as { type?: string };
      return type === 'module';
    }
    if (folder === dirname(folder)) return false;
  }
}

/** Unwraps the default export, once more where a module was turned into CommonJS and imported. */
function defaultExport(loaded: unknown): unknown {
  let value = loaded;
  for (let depth = 0; depth < 2 && !isAuthored(value) && typeof value === 'object' && value !== null; depth++) {
    if (!('default' in value)) break;
    value = value.default;
  }
  return value;
}

function isAuthored(value: unknown): value is AuthoredExperiment {
  return typeof value === 'object' && value !== null && authoredExperiment in value;
}

function asWorkflowError(error: unknown, file: string, what: string): WorkflowError {
  if (error instanceof WorkflowError) return error;
  const { message, stack, name, code } =
    error instanceof Error
      ? (error as NodeJS.ErrnoException)
      : { message: String(error), stack: '', name: 'Error', code: undefined };
  const syntax = /^(?:.*\n)?(\/.+?):(\d+):(\d+): (?:ERROR|error): (.+)$/m.exec(message);
  if (syntax !== null) {
    const at = { file: syntax[1] ?? file, line: Number(syntax[2]), column: Number(syntax[3]) + 1 };
    return new WorkflowError({
      code: 'LOAD1002',
      message: `the ${what} does not compile: ${syntax[4]}`,
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
  const first = message.split('\n')[0] ?? '';
  return new WorkflowError({ code: 'LOAD1003', message: `the ${what} throws ${name}: ${first}`, at, cause: error });
}
