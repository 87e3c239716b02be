import { existsSync } from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import type ts from 'typescript';
import type { Problem } from '../diagnostics/index.js';

type TypeScript = typeof ts;

/**
 * Problems that the TypeScript compiler reports in a workflow's file (or several files of one folder) and in the files of its folder that it imports: by the
 * user's own tsconfig.json if there is one, else strictly.
 */
export async function checkTypes(first: string, ...others: readonly string[]): Promise<Problem[]> {
  // A second of loading: only this check pays it.
  const { default: typescript } = await import('typescript');
  const path = resolve(first);
  const options = optionsFor(typescript, path);
  const program = typescript.createProgram({ rootNames: [path, ...others.map((file) => resolve(file))], options });
  const folder = dirname(path);
  const own = program.getSourceFiles().filter(({ fileName, isDeclarationFile }) => {
    const inside = relative(folder, fileName);
    return !isDeclarationFile && !inside.startsWith('..') && !inside.split('/').includes('node_modules');
  });
  const nodeTypes = hasNodeTypes(path, options);
  return own
    .flatMap((source) => [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)])
    .filter(({ code }) => !ofModuleSystem.has(code))
    .filter((diagnostic) => nodeTypes || !missesNodeTypes(typescript, diagnostic))
    .map((diagnostic) => problemOf(typescript, diagnostic));
}

function optionsFor(typescript: TypeScript, file: string): ts.CompilerOptions {
  const forced: ts.CompilerOptions = { noEmit: true, skipLibCheck: true, incremental: false, composite: false };
  const config = typescript.findConfigFile(dirname(file), typescript.sys.fileExists);
  const read = config === undefined ? undefined : typescript.readConfigFile(config, typescript.sys.readFile);
  if (config === undefined || read?.config === undefined) {
    const strict: ts.CompilerOptions = {
      strict: true,
      target: typescript.ScriptTarget.ES2023,
      module: typescript.ModuleKind.NodeNext,
      moduleResolution: typescript.ModuleResolutionKind.NodeNext,
      allowImportingTsExtensions: true,
      types: ['*'],
    };
    return { ...strict, ...forced, ...nodeTypesOfOurs(file) };
  }
  // Which files the configuration lists does not matter here, and listing them may take long.
  const host = { ...typescript.sys, readDirectory: () => [] };
  const { options } = typescript.parseJsonConfigFileContent(read.config, host, dirname(config), undefined, config);
  return { ...options, ...forced };
}

/** Folders of types that a file without a configuration of its own sees: its own, else those installed beside this package. */
function nodeTypesOfOurs(file: string): ts.CompilerOptions {
  for (const start of [file, import.meta.filename]) {
    const roots = (createRequire(start).resolve.paths('x') ?? []).map((place) => join(place, '@types'));
    const found = roots.find((root) => existsSync(join(root, 'node')));
    // Node's types have what of the DOM's a workflow may use, and are read in a fraction of the time.
    if (found !== undefined) return { typeRoots: [found], types: ['node'], lib: ['lib.es2023.d.ts'] };
  }
  return { types: [] };
}

function hasNodeTypes(file: string, options: ts.CompilerOptions): boolean {
  const places = [
    ...(options.typeRoots ?? []),
    ...(createRequire(file).resolve.paths('x') ?? []).map((place) => join(place, '@types')),
  ];
  return places.some((place) => existsSync(join(place, 'node')));
}

/**
 * Codes of what TypeScript would not write as CommonJS, or by the user's own `module`: `import.meta`, `await` at the top, imports of modules. A
 * workflow is not written but loaded, and the loader knows best: what it cannot do, it has said before (LOAD1002).
 */
const ofModuleSystem: ReadonlySet<number> = new Set([1286, 1287, 1295, 1309, 1343, 1378, 1470, 1479]);

/** Names and modules of Node that cannot be known without its types: workflows run all the same. */
function missesNodeTypes(typescript: TypeScript, { code, messageText }: ts.Diagnostic): boolean {
  // Cannot find name 'process', with or without advice on a tsconfig.
  if (code === 2580 || code === 2591) return true;
  const text = typescript.flattenDiagnosticMessageText(messageText, '\n');
  const module = code === 2307 || code === 2792 ? /module '(?:node:)?([^']+)'/.exec(text)?.[1] : undefined;
  return module !== undefined && builtinModules.includes(module);
}

function problemOf(typescript: TypeScript, diagnostic: ts.Diagnostic): Problem {
  const lines = typescript.flattenDiagnosticMessageText(diagnostic.messageText, '\n').split('\n');
  // Types that allow no value say why in their own text.
  const refused = lines.map((line) => /NotAllowed<"((?:[^"\\]|\\.)*)">/.exec(line)?.[1]).find((text) => text);
  const [first = '', ...rest] = lines;
  const { file, start, code } = diagnostic;
  const place = file === undefined || start === undefined ? undefined : file.getLineAndCharacterOfPosition(start);
  const deepest = rest.at(-1)?.trim();
  const hint = refused === undefined ? deepest : undefined;
  return {
    code: 'TYPE1001',
    severity: diagnostic.category === typescript.DiagnosticCategory.Warning ? 'warning' : 'error',
    message: refused === undefined ? `${first} (TS${code})` : refused,
    ...(hint === undefined ? {} : { hint }),
    at:
      file === undefined || place === undefined
        ? undefined
        : { file: file.fileName, line: place.line + 1, column: place.character + 1 },
  };
}
