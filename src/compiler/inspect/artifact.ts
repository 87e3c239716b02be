import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { hashFile } from '../hash-file.js';

/** Bytes that travel with the plan: from a file, or from memory. */
export interface Artifact {
  /** Path in the plan's folder: `artifacts/HASH-NAME`. */
  readonly path: string;
  readonly sha256: string;
  readonly content: { readonly file: string } | { readonly bytes: Uint8Array };
}

/** The artifact that a file makes, named by its content. */
export function fileArtifact(file: string): Artifact {
  return artifact(basename(file), hashFile(file), { file });
}

/** The artifact that bytes in memory make. */
export function bytesArtifact(name: string, bytes: Uint8Array): Artifact {
  return artifact(name, createHash('sha256').update(bytes).digest('hex'), { bytes });
}

/** Artifacts of one compile: a file that many entities name is read once. */
export class Artifacts {
  readonly #files = new Map<string, Artifact>();

  /** The artifact of {@link fileArtifact}, of an absolute path. */
  ofFile(file: string): Artifact {
    let artifact = this.#files.get(file);
    if (artifact === undefined) {
      artifact = fileArtifact(file);
      this.#files.set(file, artifact);
    }
    return artifact;
  }
}

function artifact(name: string, sha256: string, content: Artifact['content']): Artifact {
  return { path: `artifacts/${sha256.slice(0, 16)}-${name.slice(-120)}`, sha256, content };
}
