import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { Problems, WorkflowError } from '../../diagnostics/index.js';
import { everybody, isTooOpen, restricted } from '../../ir/index.js';
import { hashFile } from '../hash-file.js';
import type { OutputFile } from './emit-files.js';

/** Name of the file that lists the files that `compile` wrote, with their SHA-256. Other files are never overwritten. */
const manifestName = '.simwright-manifest.json';

/** The file whose mode decides who may read the output of its jobs. */
const planName = 'plan.json';

/** SHA-256 by path. Paths may not leave the folder, because files that are no longer needed are removed. */
const Manifest = z.record(
  z.string().refine((path) => !path.split('/').includes('..') && !path.startsWith('/')),
  z.string(),
);
type Manifest = Readonly<z.infer<typeof Manifest>>;

/** Differences between a folder and the files that should be in it, as paths. */
export interface FolderDifference {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** Compares a folder with the files that should be in it. Files that `compile` did not write are ignored. */
export function compareFolder(folder: string, files: readonly OutputFile[]): FolderDifference {
  const manifest = readManifest(folder) ?? {};
  const paths = new Set(files.map(({ path }) => path));
  return {
    added: files.filter(({ path }) => !existsSync(join(folder, path))).map(({ path }) => path),
    changed: files.filter((file) => differs(join(folder, file.path), file)).map(({ path }) => path),
    removed: Object.keys(manifest).filter((path) => !paths.has(path) && existsSync(join(folder, path))),
  };
}

/** True if the file exists and has other content, or more people can read it than should. */
function differs(path: string, file: OutputFile): boolean {
  const found = statIfThere(path);
  return found !== undefined && (isTooOpen(found.mode, file.mode) || hashFile(path) !== hash(file));
}

/**
 * Writes all files, or none: everything is written beside the folder first, then moved into place. Files of an earlier compile that are no
 * longer needed are removed; `run/` and `logs/` stay.
 *
 * @throws WorkflowError if the folder holds files that `compile` did not write, or files that were changed by hand (unless `force`), or cannot be written.
 */
export function writeFolder(
  folder: string,
  files: readonly OutputFile[],
  options: { readonly force?: boolean } = {},
): void {
  const manifest = checkFolder(folder, files, options.force === true);
  const isNew = !existsSync(folder);
  // On the same file system, as a rename needs.
  const staging = isNew ? `${folder.replace(/\/+$/, '')}.part-${process.pid}` : join(folder, `.part-${process.pid}`);
  try {
    makeFolders(staging);
    const written: Record<string, string> = {};
    for (const file of files) written[file.path] = writeFile(join(staging, file.path), file);
    const access = files.find(({ path }) => path === planName)?.mode ?? everybody;
    const manifestText = `${JSON.stringify(written, null, 2)}\n`;
    writeFileSync(join(staging, manifestName), manifestText, { mode: restricted(0o666, access) });
    mkdirSync(join(staging, 'logs'), { recursive: true, mode: restricted(0o777, access) });
    if (isNew) renameSync(staging, folder);
    else replaceFiles(folder, staging, manifest, Object.keys(written), access);
  } catch (error) {
    throw new WorkflowError({
      code: 'OUT1002',
      message: `${folder} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'choose another folder with --out',
      cause: error,
    });
  } finally {
    if (statIfThere(staging) !== undefined) rmSync(staging, { recursive: true, force: true });
  }
}

/** Makes a folder and those around it, each by itself: Node's own way says ENOENT of a file system that is read-only, and may never end. */
function makeFolders(path: string): void {
  const missing: string[] = [];
  for (let place = path; statIfThere(place) === undefined; place = dirname(place)) missing.push(place);
  for (const place of missing.reverse()) mkdirSync(place);
}

function replaceFiles(
  folder: string,
  staging: string,
  before: Manifest,
  paths: readonly string[],
  access: number,
): void {
  // Before the files are replaced: output of earlier jobs gets the same access.
  for (const place of ['logs', 'run']) closeTo(join(folder, place), access);
  for (const path of paths) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    renameSync(join(staging, path), join(folder, path));
  }
  mkdirSync(join(folder, 'logs'), { recursive: true, mode: restricted(0o777, access) });
  renameSync(join(staging, manifestName), join(folder, manifestName));
  const wanted = new Set(paths);
  const stale = Object.keys(before).filter((path) => !wanted.has(path));
  for (const path of stale) rmSync(join(folder, path), { force: true });
  for (const parent of new Set(stale.map((path) => dirname(path)))) removeIfEmpty(folder, parent);
}

/** Removes access rights of a folder that `access` does not have. It adds none. */
function closeTo(folder: string, access: number): void {
  const found = statIfThere(folder);
  if (found?.isDirectory() === true && isTooOpen(found.mode, access)) chmodSync(folder, restricted(found.mode, access));
}

/** Removes a folder inside `folder` if it is empty, and its parents if they become empty. */
function removeIfEmpty(folder: string, path: string): void {
  for (let parent = path; parent !== '.' && existsSync(join(folder, parent)); parent = dirname(parent)) {
    if (readdirSync(join(folder, parent)).length > 0) return;
    rmdirSync(join(folder, parent));
  }
}

/** The manifest of the folder. It is a problem if something in the folder may not be replaced. */
function checkFolder(folder: string, files: readonly OutputFile[], force: boolean): Manifest {
  if (statIfThere(folder, lstatSync) === undefined) return {};
  if (statIfThere(folder)?.isDirectory() !== true) {
    throw new WorkflowError({
      code: 'OUT1001',
      message: `${folder} is there and is no folder`,
      hint: 'choose another one with --out',
    });
  }
  const manifest = readManifest(folder);
  if (manifest === undefined) {
    if (readdirSync(folder).length === 0) return {};
    throw new WorkflowError({
      code: 'OUT1001',
      message: `${folder} holds files that simwright did not write`,
      hint: 'choose an empty or a new folder with --out',
    });
  }
  const problems = new Problems();
  checkPlaces(folder, files, problems);
  problems.throwIfErrors();
  if (!force) checkUntouched(folder, files, manifest, problems);
  problems.throwIfErrors();
  return manifest;
}

/** Checks that no folder is in the place of a file, and no file in the place of a folder. */
function checkPlaces(folder: string, files: readonly OutputFile[], problems: Problems): void {
  const parents = new Set<string>(['logs']);
  for (const { path } of files) {
    for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) parents.add(parent);
    if (statIfThere(join(folder, path))?.isDirectory()) {
      problems.error(
        'OUT1001',
        `${join(folder, path)} is a folder, and a file has to go there`,
        undefined,
        'move it away',
      );
    }
  }
  for (const parent of parents) {
    const stat = statIfThere(join(folder, parent));
    if (stat === undefined || stat.isDirectory()) continue;
    problems.error(
      'OUT1001',
      `${join(folder, parent)} is no folder, and files have to go into it`,
      undefined,
      'move it away',
    );
  }
}

/** The result of `look`; `undefined` if nothing is there, or a parent is no folder. */
function statIfThere(path: string, look: (path: string) => Stats = statSync): Stats | undefined {
  try {
    return look(path);
  } catch {
    return undefined;
  }
}

function checkUntouched(folder: string, files: readonly OutputFile[], manifest: Manifest, problems: Problems): void {
  const hint = 'move it away, or use --force to overwrite it';
  for (const file of files) {
    const path = join(folder, file.path);
    if (!existsSync(path)) continue;
    const recorded = manifest[file.path];
    if (recorded === undefined) {
      problems.error('OUT1001', `${path} was not written by simwright`, undefined, hint);
      continue;
    }
    const found = hashFile(path);
    if (found !== recorded && found !== hash(file)) {
      problems.error('OUT1001', `${path} was changed by hand since it was written`, undefined, hint);
    }
  }
  const wanted = new Set(files.map(({ path }) => path));
  for (const [stale, recorded] of Object.entries(manifest)) {
    const path = join(folder, stale);
    if (wanted.has(stale) || !existsSync(path) || hashFile(path) === recorded) continue;
    problems.error(
      'OUT1001',
      `${path} is no longer wanted, and was changed by hand since it was written`,
      undefined,
      hint,
    );
  }
}

function readManifest(folder: string): Manifest | undefined {
  try {
    return Manifest.parse(JSON.parse(readFileSync(join(folder, manifestName), 'utf8')));
  } catch {
    return undefined;
  }
}

function writeFile(path: string, { content, mode }: OutputFile): string {
  mkdirSync(dirname(path), { recursive: true });
  // The file is never more open than in the end, and never more than the umask allows.
  if (typeof content === 'string') writeFileSync(path, content, { mode });
  else if ('bytes' in content) writeFileSync(path, content.bytes, { mode });
  else {
    copyFileSync(content.file, path);
    chmodSync(path, statSync(path).mode & mode);
  }
  return hashFile(path);
}

function hash({ content }: OutputFile): string {
  if (typeof content !== 'string' && 'file' in content) return hashFile(content.file);
  return createHash('sha256')
    .update(typeof content === 'string' ? content : content.bytes)
    .digest('hex');
}
