import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { isCode } from '../job/job-folder.js';
import { statusFolder } from '../job/paths.js';
import { type EntityStatus, StatusTable } from './entity-status.js';
import { parseStatusLine, type StatusEvent } from './status-event.js';

/** Reads the status files of DIR, each time only what was added since the last. */
export class StatusReader {
  readonly #folder: string;
  readonly #offsets = new Map<string, number>();
  readonly #table = new StatusTable();
  #events = 0;

  readonly #onEvent: ((event: StatusEvent) => void) | undefined;

  /** `onEvent` hears of every event, in the order in which each file has them. */
  constructor(dir: string, onEvent?: (event: StatusEvent) => void) {
    this.#folder = statusFolder(dir);
    this.#onEvent = onEvent;
  }

  /** Reads what is new; says whether there was anything. */
  refresh(): boolean {
    let changed = false;
    for (const file of this.#files()) changed = this.#read(file) || changed;
    return changed;
  }

  /** Number of events that have been read. */
  get events(): number {
    return this.#events;
  }

  /** Status of one entity as of the last `refresh`. */
  of(entity: string): EntityStatus {
    return this.#table.of(entity);
  }

  #files(): string[] {
    try {
      return readdirSync(this.#folder).filter((name) => name.endsWith('.jsonl'));
    } catch (error) {
      if (isCode(error, 'ENOENT')) return [];
      throw error;
    }
  }

  #read(file: string): boolean {
    const from = this.#offsets.get(file) ?? 0;
    // Opened each time: NFS looks for news of a file when it is opened.
    let handle: number;
    try {
      handle = openSync(join(this.#folder, file), 'r');
    } catch (error) {
      if (isCode(error, 'ENOENT')) return false;
      throw error;
    }
    try {
      const size = fstatSync(handle).size;
      if (size <= from) return false;
      const bytes = Buffer.allocUnsafe(size - from);
      const read = readSync(handle, bytes, 0, bytes.length, from);
      const end = bytes.subarray(0, read).lastIndexOf(0x0a) + 1;
      if (end === 0) return false;
      this.#offsets.set(file, from + end);
      for (const line of bytes.toString('utf8', 0, end).split('\n')) {
        const event = line === '' ? undefined : parseStatusLine(line);
        if (event === undefined) continue;
        this.#table.add(event);
        this.#events++;
        this.#onEvent?.(event);
      }
      return true;
    } finally {
      closeSync(handle);
    }
  }
}
