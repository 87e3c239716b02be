import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import {
  type Authored,
  type AuthoredExperiment,
  authoredExperiment,
  type ExperimentDeclaration,
} from '../../ir/index.js';
import { guarded } from './guard.js';
import { asWorkflowError } from './users-errors.js';

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
    const load = isModule(file) ? importModule : requireModule;
    return defaultExport(await guarded({ file, what }, () => load(file)));
  } catch (error) {
    throw (await syntaxError(error, what)) ?? asWorkflowError(error, file, what);
  }
}

/** Error for JavaScript that does not compile: tsx says neither why nor where. */
async function syntaxError(cause: unknown, what: string): Promise<WorkflowError | undefined> {
  const [, file] = /^Parse error (\/.+?)(?:\?.*)?:\d+:\d+$/m.exec(cause instanceof Error ? cause.message : '') ?? [];
  if (file === undefined) return undefined;
  const { default: typescript } = await import('typescript');
  const options = { reportDiagnostics: true, fileName: file, compilerOptions: { allowJs: true } };
  const [first] = typescript.transpileModule(readFileSync(file, 'utf8'), options).diagnostics ?? [];
  if (first?.file === undefined || first.start === undefined) return undefined;
  const { line, character } = first.file.getLineAndCharacterOfPosition(first.start);
  return new WorkflowError({
    code: 'LOAD1002',
    message: `the ${what} does not compile: ${typescript.flattenDiagnosticMessageText(first.messageText, '; ')}`,
    at: { file, line: line + 1, column: character + 1 },
    cause,
  });
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
      return typeIn(manifest) === 'module';
    }
    if (folder === dirname(folder)) return false;
  }
}

function typeIn(manifest: string): unknown {
  try {
    return (JSON.parse(readFileSync(manifest, 'utf8')) as { type?: unknown } | null)?.type;
  } catch (cause) {
    const message = `${manifest}, which says how the workflow is to be read, cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new WorkflowError({ code: 'LOAD1002', message, at: { file: manifest, line: 1, column: 1 }, cause });
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
