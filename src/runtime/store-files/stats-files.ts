import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const ending = '.stats.json';

/** File with the statistics of a store's process, in the store's folder. A launcher may put two of them on one host. */
export function statsFile(folder: string, host: string, pid: number): string {
  return join(folder, `${host}.${pid}${ending}`);
}

/** True for the name of such a file. */
export function isStatsFile(name: string): boolean {
  return name.endsWith(ending);
}

/** Removes statistics of an earlier start: they would be counted with those of the new one. */
export function forgetStats(folder: string): void {
  for (const name of readdirSync(folder)) if (isStatsFile(name)) rmSync(join(folder, name), { force: true });
}
