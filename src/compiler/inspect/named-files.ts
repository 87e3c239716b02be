import { statSync } from 'node:fs';
import { basename, isAbsolute, posix, resolve } from 'node:path';
import type { CommandDeclaration } from '../../ir/index.js';

/** A word of a command that names a file beside the workflow. */
export interface NamedFile {
  /** The word of the command. */
  readonly word: string;
  /** The file, relative to the workflow's folder: what to attach, and where the program looks for it in its own. */
  readonly path: string;
  /** Its name without folders. */
  readonly name: string;
  /** The folder of Python's module that it belongs to, if it does to one. */
  readonly module?: string;
}

/** Programs that run the file named by their first argument that is not an option. */
const interpreters =
  /^(python|pypy|node|deno|bun|bash|sh|zsh|ksh|perl|ruby|lua|julia|Rscript|octave|tclsh|pvpython|pvbatch)[\d.]*$/;

/** Options whose value is a file to write, not to read. */
const outputOption = /^-{1,2}(o|out|log|save|write|dest|result|report|dump|checkpoint)/i;

/**
 * Finds files beside the workflow that a command names and its program would look for in its own directory. Words that may mean something
 * else (an output, a name without an extension) are left out.
 */
export function namedFiles({ executable, args, env, container }: CommandDeclaration, folder: string): NamedFile[] {
  // Inside a container the working directory may be another.
  if (container?.pwd !== undefined) return [];
  const program = basename(executable);
  const isInterpreter = interpreters.test(program);
  const script = isInterpreter ? args.findIndex((word) => !word.startsWith('-')) : -1;
  const module = isInterpreter && /^(python|pypy)/.test(program) ? args.indexOf('-m') : -1;
  // After such an option, the next word is program text or a module name, not a file.
  const inText =
    isInterpreter && args.slice(0, Math.max(0, script)).some((word) => /^-{1,2}(c|e|m|eval|print|p)$/.test(word));
  const found = args.flatMap((word, index): NamedFile[] => {
    if (inText && index === script) return [];
    if (index > 0 && outputOption.test(args[index - 1] ?? '') && index !== script) return [];
    const option = /^(-[^=]*)=(.+)$/.exec(word);
    if (option !== null && outputOption.test(option[1] ?? '')) return [];
    const path = option?.[2] ?? word;
    const isSure = index === script || /[^.]\.[A-Za-z]\w*$|\//.test(path);
    return isSure && isFileBeside(path, folder)
      ? [{ word: path, path: posix.normalize(path), name: basename(path) }]
      : [];
  });
  const name = module === -1 || env?.['PYTHONPATH'] !== undefined ? undefined : args[module + 1]?.split('.')[0];
  return name === undefined ? found : [...found, ...moduleFiles(name, folder)];
}

function moduleFiles(name: string, folder: string): NamedFile[] {
  const path = [`${name}.py`, `${name}/__init__.py`, `${name}/__main__.py`].find((one) => isFileBeside(one, folder));
  return path === undefined ? [] : [{ word: `-m ${name}`, path, name: basename(path), module: name }];
}

function isFileBeside(path: string, folder: string): boolean {
  if (path === '' || path.startsWith('-') || isAbsolute(path) || path.includes('\0') || path.includes('://'))
    return false;
  try {
    return statSync(resolve(folder, path), { throwIfNoEntry: false })?.isFile() === true;
  } catch {
    // A text that is no path: too long, or through a file.
    return false;
  }
}
