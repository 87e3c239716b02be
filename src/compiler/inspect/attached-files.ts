import { readdirSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, isAbsolute, join, posix, resolve } from 'node:path';
import type FastGlob from 'fast-glob';
import { type Problems, suggestion } from '../../diagnostics/index.js';
import type { AttachDeclaration } from '../../ir/index.js';
import type { Artifact, Artifacts } from './artifact.js';

/** Loaded by the first glob: most workflows name their files. */
function loadFastGlob(): typeof FastGlob {
  return createRequire(import.meta.url)('fast-glob');
}

/** Signs that a glob may have; a path without them is a path. */
const globSigns = /[*?[\]{}()!+@|\\]/;

/** A file or folder that an entity's directory gets. `to` is relative to that directory. */
export type AttachedFile =
  | { readonly kind: 'directory'; readonly to: string; readonly attach: AttachDeclaration }
  | {
      readonly kind: 'copy' | 'configure';
      readonly to: string;
      /** Absolute path it was read from. */
      readonly source: string;
      readonly artifact: Artifact;
      readonly mode: number;
      /** It names a variable that tells a member its number. */
      readonly namesNumber: boolean;
      readonly attach: AttachDeclaration;
    }
  | {
      readonly kind: 'symlink';
      readonly to: string;
      /** Absolute path of what it leads to. */
      readonly source: string;
      /** Absolute path as written, or the artifact that a relative one became. */
      readonly target: string | Artifact;
      readonly attach: AttachDeclaration;
    };

/** Every file that one `.attach()` names, directories walked and globs expanded. Missing ones are problems. */
export function inspectAttached(
  attach: AttachDeclaration,
  workflowFolder: string,
  artifacts: Artifacts,
  problems: Problems,
): AttachedFile[] {
  const files: AttachedFile[] = [];
  for (const kind of ['copy', 'configure'] as const) {
    for (const path of attach[kind]) {
      for (const [source, to] of expand(path, workflowFolder, attach, kind, problems)) {
        for (const file of walk(kind, source, to, attach, artifacts, problems)) files.push(file);
      }
    }
  }
  for (const path of attach.symlink) {
    for (const [source, to] of expand(path, workflowFolder, attach, 'symlink', problems)) {
      if (isAbsolute(path)) files.push({ kind: 'symlink', to, source, target: source, attach });
      else if (!statSync(source).isDirectory()) {
        const target = read('symlink', source, attach, problems, () => artifacts.ofFile(source, 'linked'));
        if (target !== undefined) files.push({ kind: 'symlink', to, source, target, attach });
      } else {
        const message = `.attach(): symlink '${path}' is a directory inside the workflow's folder`;
        problems.error('FILE1003', message, attach.at, 'copy it, or link it by its absolute path on the cluster');
      }
    }
  }
  return files;
}

/** Result of `look` at a file; undefined, and a problem, if the file cannot be read: no permission, no file, too large. */
function read<Result>(
  kind: string,
  source: string,
  { at }: AttachDeclaration,
  problems: Problems,
  look: () => Result,
): Result | undefined {
  if (!statSync(source).isFile()) {
    problems.error('FILE1003', `.attach(): ${kind} '${source}' is neither a file nor a directory`, at);
    return undefined;
  }
  try {
    return look();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    problems.error('FILE1001', `.attach(): ${kind} '${source}' cannot be read: ${error.message}`, at);
    return undefined;
  }
}

/** Pairs of absolute source and relative destination that one path or glob stands for. */
function expand(
  path: string,
  folder: string,
  attach: AttachDeclaration,
  kind: string,
  problems: Problems,
): [source: string, to: string][] {
  const source = resolve(folder, path);
  if (exists(source)) return [[source, basename(source)]];
  // A link may name a file that only the cluster has.
  if (kind === 'symlink' && isAbsolute(path)) return [[path, basename(path)]];
  const fastGlob = globSigns.test(path) ? loadFastGlob() : undefined;
  if (fastGlob?.isDynamicPattern(path)) {
    const fs = { readdirSync: withoutCircles(attach, problems) as typeof readdirSync };
    const found = fastGlob.sync(path, { cwd: folder, dot: false, followSymbolicLinks: true, fs }).sort();
    if (found.length > 0) {
      const base = globBase(path, fastGlob);
      return found.flatMap((file): [string, string][] => {
        const one = resolve(folder, file);
        if (exists(one)) return [[one, posix.relative(base, file)]];
        const message = `.attach(): '${one}', which ${kind} '${path}' matches, is a link to something that is not there, or its name is no UTF-8`;
        problems.error('FILE1003', message, attach.at);
        return [];
      });
    }
    problems.error('FILE1001', `.attach(): ${kind} '${path}' matches no file in ${folder}`, attach.at);
    return [];
  }
  const hint = neighbours(source);
  problems.error('FILE1001', `.attach(): ${kind} '${path}' is not there (looked for ${source})`, attach.at, hint);
  return [];
}

function walk(
  kind: 'copy' | 'configure',
  source: string,
  to: string,
  attach: AttachDeclaration,
  artifacts: Artifacts,
  problems: Problems,
): AttachedFile[] {
  const stat = statSync(source);
  if (stat.isDirectory()) return walkDirectory(kind, source, '', attach, artifacts, problems);
  if (kind === 'configure' && stat.size > largestTemplateBytes) {
    const message = `.attach(): configure '${source}' has ${Math.ceil(stat.size / 1024 ** 2)} MiB, and a template has at most ${largestTemplateBytes / 1024 ** 2}`;
    problems.error(
      'TMPL1010',
      message,
      attach.at,
      'copy it, and give the application its parameters in a smaller file',
    );
    return [];
  }
  const artifact = read(kind, source, attach, problems, () => artifacts.ofFile(source));
  if (artifact === undefined) return [];
  return [
    { kind, to, source, artifact, mode: stat.mode & 0o777, namesNumber: artifacts.namesOwnNumber(source), attach },
  ];
}

/** A directory's content goes to the top of the entity's directory. */
function walkDirectory(
  kind: 'copy' | 'configure',
  source: string,
  to: string,
  attach: AttachDeclaration,
  artifacts: Artifacts,
  problems: Problems,
): AttachedFile[] {
  return namesIn(source, attach, problems)
    .sort()
    .flatMap((name): AttachedFile[] => {
      const from = join(source, name);
      const inside = posix.join(to, name);
      if (!exists(from)) {
        problems.error('FILE1001', `.attach(): '${from}' is a link to something that is not there`, attach.at);
        return [];
      }
      if (!statSync(from).isDirectory()) return walk(kind, from, inside, attach, artifacts, problems);
      if (leadsAround(from)) {
        problems.error('FILE1003', `.attach(): '${from}' is a link to a directory around it`, attach.at);
        return [];
      }
      const directory = { kind: 'directory', to: inside, attach } as const;
      return [directory, ...walkDirectory(kind, from, inside, attach, artifacts, problems)];
    });
}

/** Names of a directory's entries. One that is no UTF-8 cannot stand in a plan, and one that cannot be read is a problem. */
function namesIn(folder: string, { at }: AttachDeclaration, problems: Problems): string[] {
  try {
    return readdirSync(folder, { encoding: 'buffer' }).flatMap((bytes) => {
      const name = bytes.toString();
      if (Buffer.from(name).equals(bytes)) return [name];
      const shown = bytes
        .toString('latin1')
        .replace(/[^ -~]/g, (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, '0')}`);
      problems.error(
        'FILE1003',
        `.attach(): the name of '${shown}' in ${folder} is no UTF-8`,
        at,
        'give it another name',
      );
      return [];
    });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    problems.error('FILE1001', `.attach(): '${folder}' cannot be read: ${error.message}`, at);
    return [];
  }
}

/** True for a link, or a folder reached by one, that leads to a folder that the path goes through already. */
function leadsAround(path: string): boolean {
  if (realpathSync(path) === path) return false;
  const real = realpathSync(path);
  for (let around = dirname(path); around !== dirname(around); around = dirname(around)) {
    if (realpathSync(around) === real) return true;
  }
  return false;
}

/** `readdirSync` for globs: folders that links lead around to are left out, once said. */
function withoutCircles({ at }: AttachDeclaration, problems: Problems) {
  return (folder: string, ...options: [never]) => {
    if (!leadsAround(folder)) return readdirSync(folder, ...options);
    problems.error('FILE1003', `.attach(): '${folder}' is a link to a directory around it`, at);
    return [];
  };
}

/** Largest file that is read as a template, in bytes: it is held in memory as a whole. */
const largestTemplateBytes = 256 * 1024 ** 2;

/** The part of a glob before its first sign with a meaning, as a folder. */
function globBase(pattern: string, fastGlob: typeof FastGlob): string {
  const parts = pattern.split('/');
  const first = parts.findIndex((part) => fastGlob.isDynamicPattern(part));
  return parts.slice(0, first).join('/') || '.';
}

/** False for what is not there, links that go round in circles and names that are too long included. */
function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

function neighbours(source: string): string | undefined {
  const folder = resolve(source, '..');
  try {
    return suggestion(basename(source), readdirSync(folder).slice(0, 50));
  } catch {
    return undefined;
  }
}
