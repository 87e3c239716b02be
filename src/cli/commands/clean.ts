import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { WorkflowError } from '../../diagnostics/index.js';
import { type AsideEntry, asideFolder, listAside, removeAside } from '../../runtime/rerun/index.js';
import { printJson } from '../compile-workflow.js';
import { openFolder } from '../jobs/folder.js';
import { reported } from '../reported.js';
import { simwrightCommand } from '../shell-command.js';
import { formatTable } from '../table.js';

interface CleanOptions {
  readonly remove?: true | readonly string[];
  readonly json?: boolean;
}

/** A directory that was moved aside, with what it takes. */
interface Found extends AsideEntry {
  readonly bytes: number;
}

/** `simwright clean`: lists what runs have moved aside, and removes it when it is told to. */
export function cleanCommand(): Command {
  return new Command('clean')
    .argument('<dir>', 'the folder that compile wrote')
    .option('--remove [names...]', 'remove directories: names from the list, or names of entities (default: all)')
    .addOption(new Option('--json', 'print one JSON document'))
    .action(
      reported(async (dir: string, options: CleanOptions) => {
        clean(openFolder(dir).dir, options);
      }),
    );
}

function clean(dir: string, { remove, json }: CleanOptions): void {
  const all = listAside(dir).map((entry): Found => ({ ...entry, bytes: bytesIn(join(asideFolder(dir), entry.name)) }));
  const found = remove === undefined || remove === true ? all : chosen(all, remove);
  if (remove !== undefined) for (const entry of found) removeOne(dir, entry);
  const bytes = found.reduce((sum, one) => sum + one.bytes, 0);
  if (json) {
    const directories = found.map(({ name, entity, member, why, time, bytes: own }) => ({
      name,
      entity,
      member,
      why,
      time,
      bytes: own,
    }));
    printJson({ ok: true, folder: dir, removed: remove !== undefined, bytes, directories });
    return;
  }
  if (found.length === 0) {
    process.stderr.write('nothing has been moved aside\n');
    return;
  }
  const many = found.length === 1 ? 'one directory' : `${found.length} directories`;
  if (remove !== undefined) {
    process.stdout.write(`removed ${many}, ${formatBytes(bytes)}\n`);
    return;
  }
  const rows = found.map((one) => [one.name, formatBytes(one.bytes), formatTime(one.time), one.why]);
  process.stdout.write(`${formatTable([['DIRECTORY', 'SIZE', 'MOVED', 'WHY'], ...rows])}\n`);
  process.stderr.write(
    `${many}, ${formatBytes(bytes)}, in ${asideFolder(dir)}; ${simwrightCommand('clean', dir, '--remove')} deletes them\n`,
  );
}

/** Removes one directory; throws OUT1002 where the file system refuses. */
function removeOne(dir: string, entry: Found): void {
  try {
    removeAside(dir, entry);
  } catch (error) {
    throw new WorkflowError({
      code: 'OUT1002',
      message: `${join(asideFolder(dir), entry.name)} cannot be removed: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'make its folder writable, and run clean again',
      cause: error,
    });
  }
}

/** Directories that are meant by names of their own or of their entities. */
function chosen(all: readonly Found[], names: readonly string[]): Found[] {
  const plain = names.map((name) => name.replace(/\/+$/, ''));
  const isMeant = (name: string) => (entry: Found) => entry.name === name || entry.entity === name;
  const unknown = plain.filter((name) => !all.some(isMeant(name)));
  if (unknown.length > 0) {
    throw new WorkflowError({
      code: 'CLI1001',
      message: `--remove: nothing that was moved aside is named ${unknown.map((name) => `'${name}'`).join(', ')}`,
      hint: 'without --remove, clean lists what there is',
    });
  }
  return all.filter((entry) => plain.some((name) => isMeant(name)(entry)));
}

/** Bytes of all files below a folder; links are not followed. */
function bytesIn(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    return sum + (entry.isDirectory() ? bytesIn(path) : (lstatSync(path, { throwIfNoEntry: false })?.size ?? 0));
  }, 0);
}

function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** `2026-11-28 14:05`, UTC. */
function formatTime(time: string): string {
  return time.slice(0, 16).replace('T', ' ');
}
