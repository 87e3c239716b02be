import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { type Entity, entityRecipe, hashText, type Plan } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { writeAtomically } from '../job/write-atomically.js';
import type { MemberEvent } from '../status/index.js';
import { recordDigest } from './record.js';

const Mark = z.object({ run: z.string(), recipe: z.string(), members: z.string() });

/**
 * Mark that an entity has no results but those of this submission, with the record that its members are made from: the elements of a large
 * job array need not read what all the others have written to find that there was nothing before. Only for entities that wait for nothing.
 */
export class FirstRunMark {
  readonly #path: string;
  readonly #run: string | undefined;
  /** Content that the mark must have: another plan may have been written meanwhile. */
  readonly #recipe: string;
  readonly #members: string;

  constructor({ dir, run }: JobEnvironment, plan: Plan, entity: Entity) {
    this.#path = join(dir, 'run/recipes', `${entity.name}.first-run.json`);
    this.#recipe = recordDigest({ recipe: entityRecipe(plan, entity), inputs: {} });
    this.#members = hashText(JSON.stringify(entity.members));
    const isAlone = entity.after.length === 0 && entity.incoming.every((name) => name === entity.name);
    this.#run = isAlone ? run : undefined;
  }

  /** Digest of the record, if the mark holds. */
  recipe(): string | undefined {
    if (this.#run === undefined) return undefined;
    try {
      const mark = Mark.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
      const holds = mark.run === this.#run && mark.recipe === this.#recipe && mark.members === this.#members;
      return holds ? mark.recipe : undefined;
    } catch {
      return undefined;
    }
  }

  /** Sets the mark, if all events are of this submission. */
  set(events: Iterable<MemberEvent>): void {
    if (this.#run === undefined || this.recipe() !== undefined) return;
    for (const { run } of events) if (run !== this.#run) return;
    const mark: z.infer<typeof Mark> = { run: this.#run, recipe: this.#recipe, members: this.#members };
    writeAtomically(this.#path, `${JSON.stringify(mark)}\n`);
  }
}
