import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { waitUntil } from '../runtime/support/wait-until.js';

/** A process that works in a folder or was started from it. */
export interface FoundProcess {
  readonly pid: number;
  readonly command: string;
}

/** Processes that work in the folder, or have it in their command line or environment. */
export function processesOf(folder: string): FoundProcess[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      const environment = readFileSync(`/proc/${name}/environ`, 'utf8');
      const texts = [readlinkSync(`/proc/${name}/cwd`), command, environment];
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const isZombie = stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
      return texts.some((text) => text.includes(folder)) && !isZombie ? [{ pid: Number(name), command }] : [];
    } catch {
      // It ended while it was looked at.
      return [];
    }
  });
}

/** Folders with sockets that jobs of a compiled folder have under /tmp. */
export function jobFoldersOf(compiled: string): string[] {
  const jobs = join(compiled, 'run/jobs.tsv');
  if (!existsSync(jobs)) return [];
  const ids = readFileSync(jobs, 'utf8')
    .split('\n')
    .flatMap((line) => line.split('\t')[1] ?? []);
  // Elements of a job array have -INDEX behind it.
  const own = new Set(ids.map((id) => `simwright-${process.getuid?.()}-${id}`));
  return readdirSync('/tmp')
    .filter((name) => own.has(name) || own.has(name.replace(/-\d+$/, '')))
    .map((name) => join('/tmp', name));
}

/** Sockets below a folder, and what writers and locks leave when they are cut short. */
export function halfFilesOf(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isSocket() || /\.part(-\d+)?$|\.lock$|\.tmp$/.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name));
}

/** Expects that a run in a compiled folder has left no process, no socket, no folder under /tmp and no half file. */
export async function expectNothingLeft(compiled: string): Promise<void> {
  const left = () => [
    ...processesOf(compiled).map(({ pid, command }) => `process ${pid}: ${command}`),
    ...jobFoldersOf(compiled),
    ...halfFilesOf(join(compiled, 'run')),
  ];
  await waitUntil('nothing is left', () => left().length === 0 || left().join('\n'), 10).catch(() => undefined);
  expect(left()).toEqual([]);
}
