import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { isCheckpoint } from '../job/paths.js';
import { writeAtomically } from '../job/write-atomically.js';
import {
  type CheckpointRecord,
  fingerprintOf,
  type RecordedCheckpoint,
  type SavedStore,
} from '../orchestrator/checkpoint/record.js';

/** Keys of one start of a store, as a file or an address says that they are there. */
export const SavedStoreSchema = z.object({
  store: z.string(),
  nodes: z.int().positive(),
  upToMs: z.number(),
  whole: z.boolean(),
  without: z.array(z.string()).readonly().optional(),
});

const Recorded = z.object({
  checkpoints: z.array(z.object({ bytes: z.number(), crc: z.number(), stores: z.array(SavedStoreSchema) })),
});

/** The file beside a checkpoint that says which starts of the store it holds the keys of: `saved.json`, or `3.saved.json`. */
export function recordFile(checkpoint: string): string {
  return join(dirname(checkpoint), basename(checkpoint).replace(/checkpoint$/, 'saved.json'));
}

/** True for the name of such a file. */
export function isRecord(name: string): boolean {
  return name === 'saved.json' || name.endsWith('.saved.json');
}

/** Keeps the record of a checkpoint in the file beside it. */
export class RecordFile implements CheckpointRecord {
  readonly #checkpoint: string;

  constructor(checkpoint: string) {
    this.#checkpoint = checkpoint;
  }

  /** The starts whose keys the checkpoint holds; none where the record tells of another file than the one that is there. */
  read(): readonly SavedStore[] {
    try {
      const found = fingerprintOf(this.#checkpoint);
      const { checkpoints } = Recorded.parse(JSON.parse(readFileSync(recordFile(this.#checkpoint), 'utf8')));
      return checkpoints.find(({ bytes, crc }) => bytes === found?.bytes && crc === found.crc)?.stores ?? [];
    } catch {
      return [];
    }
  }

  write(checkpoints: readonly RecordedCheckpoint[]): void {
    writeAtomically(recordFile(this.#checkpoint), `${JSON.stringify({ checkpoints }, undefined, 2)}\n`);
  }
}

/** Contents of each checkpoint in a folder: what a store that starts there would bring back, one list per node. */
export function savedIn(folder: string): (readonly SavedStore[])[] {
  const files = existsSync(folder) ? readdirSync(folder).filter(isCheckpoint) : [];
  return files.map((file) => new RecordFile(join(folder, file)).read());
}
