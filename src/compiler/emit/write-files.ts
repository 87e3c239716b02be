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
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type Problem, Problems, WorkflowError } from '../../diagnostics/index.js';
import type { OutputFile } from './emit-files.js';

/** Lists the files that `compile` wrote, with the SHA-256 of each, so that it never overwrites one that it did not. */
const manifestName = '.simwright-manifest.json';

type Manifest = Readonly<Record<string, string>>;

/** What a folder would have to become. */
export interface FolderDifference {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** Compares a folder with the files that should be in it. Files of others in it do not count. */
export function compareFolder(folder: string, files: readonly OutputFile[]): FolderDifference {
  const manifest = readManifest(folder) ?? {};
  const paths = new Set(files.map(({ path }) => path));
  return {
    added: files.filter(({ path }) => !existsSync(join(folder, path))).map(({ path }) => path),
    changed: files
      .filter((file) => existsSync(join(folder, file.path)) && hashFile(join(folder, file.path)) !== hash(file))
      .map(({ path }) => path),
    removed: Object.keys(manifest).filter((path) => !paths.has(path) && existsSync(join(folder, path))),
  };
}

/**
 * Writes all files, or none: everything is laid beside the folder first, then moved into its place. What a former compile wrote and
 * is no longer wanted goes; `run/` and `logs/` stay.
 *
 * @throws WorkflowError if the folder holds files of somebody else, or files that were changed by hand (unless `force`), or cannot be written.
 */
export function writeFolder(
  folder: string,
  files: readonly OutputFile[],
  options: { readonly force?: boolean } = {},
): void {
  const manifest = checkFolder(folder, files, options.force === true);
  const staging = `${folder.replace(/\/+$/, '')}.part-${process.pid}`;
  try {
    mkdirSync(staging, { recursive: true });
    const written: Record<string, string> = {};
    for (const file of files) written[file.path] = writeFile(join(staging, file.path), file);
    writeFileSync(join(staging, manifestName), `${JSON.stringify(written, null, 2)}\n`);
    mkdirSync(join(staging, 'logs'), { recursive: true });
    if (existsSync(folder)) replaceFiles(folder, staging, manifest, Object.keys(written));
    else renameSync(staging, folder);
  } catch (error) {
    throw new WorkflowError({
      code: 'OUT1002',
      message: `${folder} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'choose another folder with --out',
      cause: error,
    });
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function replaceFiles(folder: string, staging: string, before: Manifest, paths: readonly string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    renameSync(join(staging, path), join(folder, path));
  }
  mkdirSync(join(folder, 'logs'), { recursive: true });
  renameSync(join(staging, manifestName), join(folder, manifestName));
  for (const path of Object.keys(before)) {
    if (paths.includes(path)) continue;
    rmSync(join(folder, path), { force: true });
    removeEmptyParents(folder, path);
  }
}

function removeEmptyParents(folder: string, path: string): void {
  for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) {
    if (readdirSync(join(folder, parent)).length > 0) return;
    rmdirSync(join(folder, parent));
  }
}

/** The manifest of the folder, after everything in it has been found to be ours to replace. */
function checkFolder(folder: string, files: readonly OutputFile[], force: boolean): Manifest {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (stat === undefined) return {};
  if (!stat.isDirectory()) {
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
  if (!force) checkUntouched(folder, files, manifest);
  return manifest;
}

function checkUntouched(folder: string, files: readonly OutputFile[], manifest: Manifest): void {
  const problems = new Problems();
  const hint = 'move it away, or say --force to overwrite it';
  for (const file of files) {
    const path = join(folder, file.path);
    if (!existsSync(path)) continue;
    const recorded = manifest[file.path];
    if (recorded === undefined) {
      problems.error('OUT1001', `${path} was not written by simwright`, undefined, hint);
    } else if (hashFile(path) !== recorded && hashFile(path) !== hash(file)) {
      problems.error('OUT1001', `${path} was changed by hand since it was written`, undefined, hint);
    }
  }
  const found: readonly Problem[] = problems.sorted();
  if (found.length > 0) problems.throwIfErrors();
}

function readManifest(folder: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, manifestName), 'utf8')) as Manifest;
  } catch {
    return undefined;
  }
}

function writeFile(path: string, file: OutputFile): string {
  mkdirSync(dirname(path), { recursive: true });
  const { content } = file;
  if (typeof content === 'string') writeFileSync(path, content);
  else if ('bytes' in content) writeFileSync(path, content.bytes);
  else copyFileSync(content.file, path);
  chmodSync(path, file.mode);
  return hashFile(path);
}

function hash({ content }: OutputFile): string {
  if (typeof content !== 'string' && 'file' in content) return hashFile(content.file);
  return createHash('sha256')
    .update(typeof content === 'string' ? content : content.bytes)
    .digest('hex');
}

function hashFile(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
