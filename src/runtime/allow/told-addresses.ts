import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import * as z from 'zod';
import type { JobEnvironment } from '../job/job-environment.js';
import { isCode, jobFolder, makeJobFolder, toldFile } from '../job/job-folder.js';
import { writeAtomically } from '../job/write-atomically.js';

/** Word of a node: its name and its addresses, which become names of files. */
const ToldAddresses = z.strictObject({
  host: z.string().min(1),
  addresses: z.array(z.string().refine((text) => isIP(text) !== 0 && !text.includes('%'))),
});
export type ToldAddresses = z.infer<typeof ToldAddresses>;

/** Keeps what the nodes of a job have told, for its launches. */
export function keepTold(job: JobEnvironment, told: readonly ToldAddresses[]): void {
  writeAtomically(toldFile(makeJobFolder(job)), JSON.stringify(told));
}

/** Lines that the nodes of a job have told of themselves, as far as they have told any. */
export function readTold(job: JobEnvironment): readonly ToldAddresses[] {
  try {
    return z.array(ToldAddresses).parse(JSON.parse(readFileSync(toldFile(jobFolder(job)), 'utf8')));
  } catch (error) {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/** The word of a node in a line of its launcher's output, with a label in front where the launcher is told to write one; `undefined` for any other line. */
export function parseTold(line: string): ToldAddresses | undefined {
  const start = line.indexOf('{"host":');
  if (start === -1) return undefined;
  try {
    return ToldAddresses.safeParse(JSON.parse(line.slice(start))).data;
  } catch {
    return undefined;
  }
}
