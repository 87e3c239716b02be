import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { isCode } from '../job/job-folder.js';

/** Why a directory was moved aside. */
export const AsideNote = z.object({
  entity: z.string(),
  /** Name of its directory, `NAME_3` or `NAME`. */
  member: z.string(),
  why: z.string(),
});
export type AsideNote = z.infer<typeof AsideNote>;

/** A directory that was moved aside. */
export const AsideEntry = AsideNote.extend({
  /** `ENTITY/NAME.N`, relative to run/aside. */
  name: z.string(),
  /** ISO 8601, UTC. */
  time: z.string(),
});
export type AsideEntry = z.infer<typeof AsideEntry>;

/** Folder of the directories that were moved aside. */
export function asideFolder(dir: string): string {
  return join(dir, 'run/aside');
}

/**
 * Moves a directory, whole, to run/aside/ENTITY/NAME.N, with a note beside it. Returns where it is, or `undefined` where there is none.
 */
export function moveAside(dir: string, directory: string, note: AsideNote): string | undefined {
  const folder = join(asideFolder(dir), note.entity);
  mkdirSync(folder, { recursive: true });
  for (let number = 1; ; number++) {
    const name = `${note.member}.${number}`;
    const path = join(folder, name);
    if (existsSync(path)) continue;
    const entry: AsideEntry = { ...note, name: `${note.entity}/${name}`, time: new Date().toISOString() };
    try {
      // The note comes first, and nobody else can write it: the number is ours.
      writeFileSync(`${path}.json`, `${JSON.stringify(entry)}\n`, { flag: 'wx' });
    } catch (error) {
      if (isCode(error, 'EEXIST')) continue;
      throw error;
    }
    try {
      renameSync(directory, path);
      return path;
    } catch (error) {
      rmSync(`${path}.json`, { force: true });
      if (isCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }
}

/** Everything that was moved aside, oldest first. */
export function listAside(dir: string): AsideEntry[] {
  const folder = asideFolder(dir);
  return foldersIn(folder)
    .flatMap((entity) => foldersIn(join(folder, entity)).map((name) => entryOf(folder, entity, name)))
    .sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : a.name < b.name ? -1 : 1));
}

/** Removes a directory that was moved aside, and its note. */
export function removeAside(dir: string, { name }: Pick<AsideEntry, 'name'>): void {
  const path = join(asideFolder(dir), name);
  // Half of a directory must not stand in the list if this is cut short.
  const doomed = join(dirname(path), `.${basename(path)}.removed`);
  rmSync(doomed, { recursive: true, force: true });
  renameSync(path, doomed);
  rmSync(doomed, { recursive: true, force: true });
  rmSync(`${path}.json`, { force: true });
}

function entryOf(folder: string, entity: string, name: string): AsideEntry {
  try {
    return AsideEntry.parse(JSON.parse(readFileSync(join(folder, entity, `${name}.json`), 'utf8')));
  } catch {
    const member = name.replace(/\.\d+$/, '');
    return { entity, member, why: 'not known', name: `${entity}/${name}`, time: '' };
  }
}

function foldersIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  }
}
