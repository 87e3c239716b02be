import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareFolder, type FolderDifference, type OutputFile } from '../compiler/index.js';
import { unifiedDiff } from './unified-diff.js';

/** Changes that compiling would make in a folder. */
export interface FolderDiff extends FolderDifference {
  readonly same: boolean;
  /** Unified diffs of text files; a line for each of the others. */
  readonly text: string;
}

/** Compares a folder with what a workflow compiles to, line by line. */
export function diffFolder(folder: string, files: readonly OutputFile[]): FolderDiff {
  const difference = compareFolder(folder, files);
  const after = new Map(files.map((file) => [file.path, file]));
  const paths = [...difference.added, ...difference.changed, ...difference.removed].sort();
  const added = new Set(difference.added);
  const text = paths.map((path) => {
    const file = after.get(path);
    const before = added.has(path) ? undefined : readFileSync(join(folder, path));
    return diffFile(path, before, file === undefined ? undefined : bytesOf(file));
  });
  return { ...difference, same: paths.length === 0, text: text.join('\n') };
}

function diffFile(path: string, before: Buffer | undefined, after: Buffer | undefined): string {
  // The runtime is one generated file: its lines say nothing.
  if (before !== undefined && after !== undefined && before.equals(after))
    return `${path} can be read by more people than its source`;
  const binary = [before, after].some((bytes) => bytes?.includes(0)) || path.startsWith('runtime/');
  if (!binary) return unifiedDiff(path, before?.toString('utf8'), after?.toString('utf8'));
  if (before === undefined) return `Binary file ${path} is new`;
  return after === undefined
    ? `Binary file ${path} is no longer wanted`
    : `Binary files a/${path} and b/${path} differ`;
}

function bytesOf({ content }: OutputFile): Buffer {
  if (typeof content === 'string') return Buffer.from(content);
  return 'bytes' in content ? Buffer.from(content.bytes) : readFileSync(content.file);
}

/** Colours as git does it: removed red, added green, places cyan. */
export function colourDiff(text: string): string {
  const paint = (line: string): string => {
    if (/^(---|\+\+\+) /.test(line)) return `\u001b[1m${line}\u001b[0m`;
    const code = { '-': 31, '+': 32, '@': 36 }[line[0] ?? ''];
    return code === undefined ? line : `\u001b[${code}m${line}\u001b[0m`;
  };
  return text.split('\n').map(paint).join('\n');
}
