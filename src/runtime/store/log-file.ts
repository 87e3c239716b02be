import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** A store's log: a line an entry, time, level, message. */
export class LogFile {
  readonly #file: number;

  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    this.#file = openSync(path, 'a', 0o644);
  }

  readonly write = (level: 'debug' | 'info' | 'warn' | 'error', message: string): void => {
    if (level === 'debug') return;
    try {
      writeSync(this.#file, `${new Date().toISOString()} ${level} ${message}\n`);
    } catch {
      // A full disk must not end the store.
    }
  };

  close(): void {
    closeSync(this.#file);
  }
}
