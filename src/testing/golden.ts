import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Compares one text with a golden file, or writes the file, and throws when they differ. */
export type CompareGolden = (text: string, file: string) => Promise<void>;

/** A golden file that is not as it should be. */
export interface GoldenDifference {
  /** Relative to the golden folder. */
  readonly path: string;
  /** Error of `compare`; undefined for a file that nothing makes any more. */
  readonly error: unknown;
}

/**
 * Holds every file against the golden one of its name in a folder. Golden files that nothing makes any more are differences as well; with
 * `update` they go.
 */
export async function compareGolden(
  files: ReadonlyMap<string, string>,
  folder: string,
  options: { readonly compare: CompareGolden; readonly update: boolean },
): Promise<GoldenDifference[]> {
  const differences: GoldenDifference[] = [];
  for (const [path, text] of files) {
    try {
      await options.compare(text, join(folder, path));
    } catch (error) {
      differences.push({ path, error });
    }
  }
  for (const path of filesBelow(folder)) {
    if (files.has(path)) continue;
    if (options.update) rmSync(join(folder, path));
    else differences.push({ path, error: undefined });
  }
  return differences;
}

function filesBelow(folder: string): string[] {
  let entries: import('node:fs').Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.flatMap((entry) =>
    entry.isDirectory() ? filesBelow(join(folder, entry.name)).map((path) => `${entry.name}/${path}`) : [entry.name],
  );
}
