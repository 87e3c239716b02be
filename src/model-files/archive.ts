import type { Reader } from './reader.js';
import { readZipDirectory, readZipEntry, type ZipEntry } from './zip.js';

/** A zip archive whose files may all lie in one folder, as PyTorch writes it and as people zip folders. */
export class Archive {
  readonly #reader: Reader;
  readonly #files = new Map<string, ZipEntry>();

  /** @throws MalformedError for an archive that is cut short or damaged */
  constructor(reader: Reader) {
    this.#reader = reader;
    const entries = readZipDirectory(reader);
    const folder = /^[^/]+\//.exec(entries[0]?.name ?? '')?.[0] ?? '';
    const isFolder = folder !== '' && entries.every(({ name }) => name.startsWith(folder));
    for (const entry of entries) this.#files.set(isFolder ? entry.name.slice(folder.length) : entry.name, entry);
  }

  get names(): IterableIterator<string> {
    return this.#files.keys();
  }

  has(name: string): boolean {
    return this.#files.has(name);
  }

  /** Folder of the file of that name, with its last slash: that of the least depth; undefined if there is none. */
  folderOf(name: string): string | undefined {
    const found = [...this.#files.keys()].filter((one) => one === name || one.endsWith(`/${name}`));
    const depth = (path: string) => path.split('/').length;
    const [first] = found.sort((a, b) => depth(a) - depth(b));
    return first?.slice(0, first.length - name.length);
  }

  /** True if a file's name starts so. */
  hasFolder(start: string): boolean {
    for (const name of this.#files.keys()) if (name.startsWith(start)) return true;
    return false;
  }

  /** The first `most` bytes of a file, or all of it; undefined if there is none. */
  read(name: string, most?: number): Buffer | undefined {
    const entry = this.#files.get(name);
    return entry === undefined ? undefined : readZipEntry(this.#reader, entry, most);
  }
}
