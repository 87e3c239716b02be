import { lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, isAbsolute, join, posix, resolve } from 'node:path';
import type FastGlob from 'fast-glob';
import { type Problems, suggestion } from '../../diagnostics/index.js';
import type { AttachDeclaration } from '../../ir/index.js';
import type { Artifact, Artifacts } from './artifact.js';
import { namesOwnNumber } from './own-number.js';

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
      if (isAbsolute(path)) files.push({ kind: 'symlink', to, target: source, attach });
      else if (statSync(source).isFile())
        files.push({ kind: 'symlink', to, target: artifacts.ofFile(source, 'linked'), attach });
      else {
        const message = `.attach(): symlink '${path}' is a directory inside the workflow's folder`;
        problems.error('FILE1003', message, attach.at, 'copy it, or link it by its absolute path on the cluster');
      }
    }
  }
  return files;
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
    const found = fastGlob.sync(path, { cwd: folder, dot: false, followSymbolicLinks: true }).sort();
    if (found.length > 0) {
      const base = globBase(path, fastGlob);
      return found.map((file) => [resolve(folder, file), posix.relative(base, file)]);
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
  if (stat.isFile()) {
    const namesNumber = namesOwnNumber(source);
    return [{ kind, to, source, artifact: artifacts.ofFile(source), mode: stat.mode & 0o777, namesNumber, attach }];
  }
  if (stat.isDirectory()) return walkDirectory(kind, source, '', attach, artifacts, problems);
  problems.error('FILE1003', `.attach(): ${kind} '${source}' is neither a file nor a directory`, attach.at);
  return [];
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
  return readdirSync(source)
    .sort()
    .flatMap((name): AttachedFile[] => {
      const from = join(source, name);
      const inside = posix.join(to, name);
      if (!exists(from)) {
        problems.error('FILE1001', `.attach(): '${from}' is a link to something that is not there`, attach.at);
        return [];
      }
      if (!statSync(from).isDirectory()) return walk(kind, from, inside, attach, artifacts, problems);
      if (lstatSync(from).isSymbolicLink() && source.startsWith(realpathSync(from))) {
        problems.error('FILE1003', `.attach(): '${from}' is a link to a directory around it`, attach.at);
        return [];
      }
      const directory = { kind: 'directory', to: inside, attach } as const;
      return [directory, ...walkDirectory(kind, from, inside, attach, artifacts, problems)];
    });
}

/** The part of a glob before its first sign with a meaning, as a folder. */
function globBase(pattern: string, fastGlob: typeof FastGlob): string {
  const parts = pattern.split('/');
  const first = parts.findIndex((part) => fastGlob.isDynamicPattern(part));
  return parts.slice(0, first).join('/') || '.';
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function neighbours(source: string): string | undefined {
  const folder = resolve(source, '..');
  return exists(folder) ? suggestion(basename(source), readdirSync(folder).slice(0, 50)) : undefined;
}
