import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { hashText } from '../../ir/index.js';
import { writeAtomically } from '../job/write-atomically.js';

/** The things that members were made from, besides their parameters. Events name the record by its digest. */
export const RunRecord = z.object({
  /** The entity's recipe, part by part. */
  recipe: z.record(z.string(), z.string()),
  /** Version of each entity or member that it waits for or reads. */
  inputs: z.record(z.string(), z.string()),
  /** Members of those that are ensembles, `INDEX:VERSION`, to tell later what has changed; absent of large ones. */
  members: z.record(z.string(), z.array(z.string())).optional(),
});
export type RunRecord = z.infer<typeof RunRecord>;

/** Name of a record: the digest of its content, of which the lists of members are a part that the versions stand for. */
export function recordDigest(record: RunRecord): string {
  return hashText(JSON.stringify([record.recipe, Object.entries(record.inputs).sort()]));
}

/** Writes a record unless it exists. Only its owner can read it, since it contains values of variables. */
export function writeRecord(dir: string, record: RunRecord): string {
  const digest = recordDigest(record);
  const path = recordPath(dir, digest);
  if (!existsSync(path)) writeAtomically(path, `${JSON.stringify(record, undefined, 2)}\n`, 0o600);
  return digest;
}

/** Reads the records of a folder, each once. */
export class Records {
  readonly #known = new Map<string, RunRecord | undefined>();

  constructor(readonly dir: string) {}

  /** `undefined` where there is none of that digest. */
  of(digest: string | undefined): RunRecord | undefined {
    if (digest === undefined) return undefined;
    if (!this.#known.has(digest)) this.#known.set(digest, read(recordPath(this.dir, digest)));
    return this.#known.get(digest);
  }
}

function recordPath(dir: string, digest: string): string {
  return join(dir, 'run/recipes', `${digest}.json`);
}

function read(path: string): RunRecord | undefined {
  try {
    return RunRecord.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}
