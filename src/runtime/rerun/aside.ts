import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { isCode } from '../job/job-folder.js';
import { MemberEvent } from '../status/index.js';

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

/** A completed member's directory that was moved aside. */
export interface AsideResult {
  /** `ENTITY/NAME.N`, relative to run/aside. */
  readonly name: string;
  /** The last event of the member. */
  readonly event: MemberEvent;
}

/**
 * Moves a directory, whole, to run/aside/ENTITY/NAME.N, with a note beside it. Returns where it is, or `undefined` where there is none.
 * With the last event of a completed member it can come back.
 */
export function moveAside(
  dir: string,
  directory: string,
  note: AsideNote,
  completed?: MemberEvent,
): string | undefined {
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
      if (completed !== undefined) writeFileSync(resultFile(path, completed.digest), `${JSON.stringify(completed)}\n`);
      renameSync(directory, path);
      return path;
    } catch (error) {
      removeNotes(path);
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
  removeNotes(path);
}

/** Takes a directory that was moved aside to where it is to be. What has been done before is not done again. */
export function takeBack(dir: string, { name }: Pick<AsideEntry, 'name'>, directory: string): void {
  const path = join(asideFolder(dir), name);
  mkdirSync(dirname(directory), { recursive: true });
  if (!existsSync(directory) && existsSync(path)) renameSync(path, directory);
  if (!existsSync(path)) removeNotes(path);
}

/** Completed members' directories of an entity that were moved aside, found by what the members did; the newest first. */
export function asideResults(dir: string, entity: string): (digest: string) => AsideResult[] {
  let names: Map<string, string[]> | undefined;
  const folder = join(asideFolder(dir), entity);
  return (digest) => {
    names ??= resultsIn(folder);
    return (names.get(digest) ?? [])
      .filter((name) => existsSync(join(folder, name)))
      .flatMap((name) => {
        const event = eventIn(resultFile(join(folder, name), digest));
        return event === undefined ? [] : [{ name: `${entity}/${name}`, event }];
      })
      .sort((a, b) => (a.event.time < b.event.time ? 1 : -1));
  };
}

/** The digest stands in the name, so that one look at the folder tells who is there. */
function resultFile(path: string, digest: string): string {
  return `${path}.completed-${digest}.json`;
}

function resultsIn(folder: string): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const file of namesIn(folder)) {
    const [, name, digest] = /^(.+)\.completed-([0-9a-f]+)\.json$/.exec(file) ?? [];
    if (name === undefined || digest === undefined) continue;
    const same = names.get(digest);
    if (same === undefined) names.set(digest, [name]);
    else same.push(name);
  }
  return names;
}

function eventIn(file: string): MemberEvent | undefined {
  try {
    return MemberEvent.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

/** Removes what was written beside a directory that was moved aside. */
function removeNotes(path: string): void {
  for (const file of namesIn(dirname(path))) {
    if (file.startsWith(`${basename(path)}.completed-`)) rmSync(join(dirname(path), file), { force: true });
  }
  rmSync(`${path}.json`, { force: true });
}

/** Names in a folder; none where it is not there. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
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
