import { linkSync, mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isCode } from '../../job/job-folder.js';

/** Versions that stay, so that a listing of the folder that goes on meanwhile meets one of them. */
const keptVersions = 64;

/** Files of this process, so that two of them have different names. */
let serial = 0;

/** Content of a file, and its version. Version 0 is that of a file that is not there. */
export interface Versioned<Content> {
  readonly version: number;
  readonly content: Content;
}

/**
 * A file of JSON that several processes of one host change in turn, in a folder of its own: each change is a new version, a file `VERSION`
 * that is linked into place whole. Of two that make the same version one fails, so there are no locks, and a process that is killed leaves nothing
 * that others wait for. The highest number counts.
 */
export class VersionedFile<Content> {
  readonly #folder: string;
  readonly #empty: Content;
  #last: Versioned<Content>;

  constructor(folder: string, empty: Content) {
    this.#folder = folder;
    this.#empty = empty;
    this.#last = { version: 0, content: empty };
  }

  /** True if nobody else has changed the file since it was last read or changed here. */
  isUnchanged(): boolean {
    return this.#highest() === this.#last.version;
  }

  read(): Versioned<Content> {
    for (;;) {
      const version = this.#highest();
      if (version === this.#last.version) return this.#last;
      if (version === 0) return { version, content: this.#empty };
      try {
        this.#last = { version, content: JSON.parse(readFileSync(this.#pathOf(version), 'utf8')) };
        return this.#last;
      } catch (error) {
        // A newer version has taken its place since.
        if (!isCode(error, 'ENOENT')) throw error;
      }
    }
  }

  /**
   * Writes the version that follows the one that was read; false if somebody else has made it, so that the change has to be thought over. After a
   * long pause it may be false although the version counted for a while: a change is to be one that can be made twice.
   */
  replace(read: Versioned<Content>, content: Content): boolean {
    const version = read.version + 1;
    const own = join(this.#folder, `.${process.pid}-${serial++}`);
    this.#write(own, JSON.stringify(content));
    try {
      linkSync(own, this.#pathOf(version));
    } catch (error) {
      if (isCode(error, 'EEXIST')) return false;
      throw error;
    } finally {
      unlinkSync(own);
    }
    // The number was free since it is an old one, whose file has been removed.
    if (this.#highest() >= version + keptVersions) {
      this.#remove(version);
      return false;
    }
    this.#last = { version, content };
    this.#remove(version - keptVersions);
    return true;
  }

  #highest(): number {
    let highest = 0;
    for (const name of this.#names()) {
      const version = Number(name);
      if (version > highest) highest = version;
    }
    return highest;
  }

  #names(): string[] {
    try {
      return readdirSync(this.#folder);
    } catch (error) {
      if (isCode(error, 'ENOENT')) return [];
      throw error;
    }
  }

  #write(path: string, text: string): void {
    const options = { mode: 0o600, flag: 'wx' };
    try {
      writeFileSync(path, text, options);
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error;
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(path, text, options);
    }
  }

  #remove(version: number): void {
    try {
      if (version > 0) unlinkSync(this.#pathOf(version));
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error;
    }
  }

  #pathOf(version: number): string {
    return join(this.#folder, String(version));
  }
}
