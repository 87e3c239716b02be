import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { writeAtomically } from '../job/write-atomically.js';
import { MemberEvent } from '../status/index.js';
import { AsideNote } from './aside.js';

/**
 * A renumbering that has begun: which directories give way, and which get another number. In phase `out` directories leave their places, in
 * phase `in` they take their new ones; each step can be done again.
 */
export const Journal = z.object({
  phase: z.enum(['out', 'in']),
  asides: z.array(AsideNote),
  moves: z.array(z.object({ from: z.int(), to: z.int(), event: MemberEvent })),
});
export type Journal = z.infer<typeof Journal>;

/** The journal of an ensemble whose renumbering was cut short. */
export function readJournal(dir: string, ensemble: string): Journal | undefined {
  try {
    return Journal.parse(JSON.parse(readFileSync(journalPath(dir, ensemble), 'utf8')));
  } catch {
    return undefined;
  }
}

export function writeJournal(dir: string, ensemble: string, journal: Journal): void {
  writeAtomically(journalPath(dir, ensemble), `${JSON.stringify(journal)}\n`);
}

export function removeJournal(dir: string, ensemble: string): void {
  rmSync(journalPath(dir, ensemble), { force: true });
}

function journalPath(dir: string, ensemble: string): string {
  return join(dir, 'run', ensemble, '.renumbering.json');
}
