import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { everybody } from '../../ir/index.js';
import { hashFile } from '../hash-file.js';
import { namesOwnNumber } from './own-number.js';

/** Bytes that travel with the plan: from a file, or from memory. */
export interface Artifact {
  /** Path in the plan's folder: `artifacts/HASH-NAME`. */
  readonly path: string;
  readonly sha256: string;
  readonly content: { readonly file: string } | { readonly bytes: Uint8Array };
  /** Permission bits, at most those of the file. */
  readonly mode: number;
}

/** Ways in which members get a file: as a copy of their own, or as a link to the artifact. */
type FileUse = 'copied' | 'linked';

/** The artifact that a file makes, named by its content. One that is linked to keeps the right to be executed. */
function fileArtifact(file: string, use: FileUse = 'copied'): Artifact {
  return artifact(basename(file), hashFile(file), { file }, accessOf(file) & (use === 'linked' ? 0o755 : 0o644));
}

/** The artifact that bytes in memory make. `access`: permission bits that all files have in common which the bytes come from. */
export function bytesArtifact(name: string, bytes: Uint8Array, access = everybody): Artifact {
  return artifact(name, createHash('sha256').update(bytes).digest('hex'), { bytes }, access & 0o644);
}

/** Artifacts of one compile: a file that many entities name is read once. */
export class Artifacts {
  readonly #files = new Map<string, Artifact>();
  readonly #namingNumber = new Map<string, boolean>();

  /** The artifact of {@link fileArtifact}, of an absolute path. */
  ofFile(file: string, use: FileUse = 'copied'): Artifact {
    const key = `${use} ${file}`;
    let artifact = this.#files.get(key);
    if (artifact === undefined) {
      artifact = fileArtifact(file, use);
      this.#files.set(key, artifact);
    }
    return artifact;
  }

  /** {@link namesOwnNumber} of an absolute path. */
  namesOwnNumber(file: string): boolean {
    const known = this.#namingNumber.get(file);
    if (known !== undefined) return known;
    const names = namesOwnNumber(file);
    this.#namingNumber.set(file, names);
    return names;
  }
}

/** Permission bits of a file's mode. A file that is not there restricts nobody. */
export function accessOf(file: string): number {
  const mode = statSync(file, { throwIfNoEntry: false })?.mode;
  return mode === undefined ? everybody : mode & everybody;
}

/** Each artifact once: one that several files make is as open as the least open of them. */
export function mergeArtifacts(artifacts: readonly Artifact[]): Artifact[] {
  const found = new Map<string, Artifact>();
  for (const artifact of artifacts) {
    const { mode } = found.get(artifact.path) ?? artifact;
    const readable = artifact.mode & mode & 0o666;
    found.set(artifact.path, { ...artifact, mode: readable | ((artifact.mode | mode) & 0o111) });
  }
  return [...found.values()];
}

/** Longest name of a file, in bytes, on every file system; the hash and its dash come before the name. */
const longestName = 255 - 17;

function artifact(name: string, sha256: string, content: Artifact['content'], mode: number): Artifact {
  return { path: `artifacts/${sha256.slice(0, 16)}-${endOf(name)}`, sha256, content, mode };
}

/** The end of a name, cut between characters: it has the extension. */
function endOf(name: string): string {
  const characters = [...name];
  while (Buffer.byteLength(characters.join('')) > longestName) characters.shift();
  return characters.slice(-120).join('');
}
