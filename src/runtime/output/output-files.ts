import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';

/** Streams of an application that are kept as files of its directory. */
export const streams = ['out', 'err'] as const;
export type Stream = (typeof streams)[number];

/** File name of a member's stream: `NAME.out` of its newest attempt, `NAME.out.3` of the third where there was a later one. */
export function outputName(name: string, stream: Stream, attempt?: number): string {
  return attempt === undefined ? `${name}.${stream}` : `${name}.${stream}.${attempt}`;
}

/**
 * Moves what the last attempt in a member's directory has written out of the way of the next: `NAME.out` and `NAME.err` get its number.
 * Returns the number of the attempt that begins, 1 for the first in this directory. Nothing is ever overwritten, and a call that was cut
 * short between the two files is finished by the next.
 */
export function keepOutput(directory: string, name: string): number {
  const files = new Set(readdirSync(directory));
  const kept = Math.max(0, ...[...files].map((file) => attemptOf(file, name)));
  const current = streams.filter((stream) => files.has(outputName(name, stream)));
  if (current.length === 0) return kept + 1;
  const isHalfDone =
    kept > 0 && current.length < streams.length && current.every((one) => !files.has(outputName(name, one, kept)));
  const number = isHalfDone ? kept : kept + 1;
  for (const stream of current) {
    renameSync(join(directory, outputName(name, stream)), join(directory, outputName(name, stream, number)));
  }
  return number + 1;
}

/** Number that a file's name ends with, where it is an earlier attempt's; otherwise 0. */
function attemptOf(file: string, name: string): number {
  if (!file.startsWith(`${name}.`)) return 0;
  const [, number] = /^(?:out|err)\.([1-9]\d{0,8})$/.exec(file.slice(name.length + 1)) ?? [];
  return Number(number ?? 0);
}
