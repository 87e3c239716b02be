import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import type { Entity } from '../../ir/index.js';
import { writeAtomically } from '../job/write-atomically.js';
import { MemberEvent } from '../status/index.js';
import { AsideNote } from './aside.js';

/**
 * A renumbering that has begun: which directories give way, and which get another number. In phase `out` directories leave their places, in
 * phase `in` they take their new ones; each step can be done again. A move with `back` is from that place in run/aside.
 */
export const Journal = z.object({
  phase: z.enum(['out', 'in']),
  asides: z.array(AsideNote),
  moves: z.array(z.object({ from: z.int(), to: z.int(), event: MemberEvent, back: z.string().optional() })),
});
export type Journal = z.infer<typeof Journal>;

/** The journal of an entity whose renumbering was cut short. */
export function readJournal(dir: string, entity: Journaled): Journal | undefined {
  try {
    return Journal.parse(JSON.parse(readFileSync(journalPath(dir, entity), 'utf8')));
  } catch {
    return undefined;
  }
}

export function writeJournal(dir: string, entity: Journaled, journal: Journal): void {
  writeAtomically(journalPath(dir, entity), `${JSON.stringify(journal)}\n`);
}

/** Removes the journal, and halves of it that launches have left that were killed while they wrote it. */
export function removeJournal(dir: string, entity: Journaled): void {
  const path = journalPath(dir, entity);
  rmSync(path, { force: true });
  for (const name of readdirSync(dirname(path))) {
    if (name.startsWith(`${basename(path)}.`) && name.endsWith('.tmp'))
      rmSync(join(dirname(path), name), { force: true });
  }
}

type Journaled = Pick<Entity, 'kind' | 'name'>;

/** In an ensemble's folder, or beside a model's, which is its own. */
function journalPath(dir: string, { kind, name }: Journaled): string {
  const folder = join(dir, 'run');
  return kind === 'ensemble' ? join(folder, name, '.renumbering.json') : join(folder, `.${name}.renumbering.json`);
}
