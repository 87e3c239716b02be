import { join } from 'node:path';
import { isComplaint, isNoise } from './noise.js';
import { outputName, type Stream, streams } from './output-files.js';
import { tailOf } from './tail.js';

/** Line of an application's output that tells best why it failed. */
export interface TellingLine {
  readonly line: string;
  readonly stream: Stream;
}

/** Lines that are looked at in the end of a stream, and how many of them that are no noise. */
const looked = { lines: 400, meaningful: 20 };

/** Characters of a line that are kept. */
const longestLine = 300;

/**
 * The line of a member's newest output that tells why it failed: the last that complains, on standard error if there is one, else on
 * standard output, where Fortran and CFD codes write; without one the last that means anything. `undefined` where there is none.
 */
export function tellingLine(directory: string, name: string): TellingLine | undefined {
  const ends = [...streams].reverse().map((stream) => ({ stream, lines: meaningfulLines(directory, name, stream) }));
  for (const isTelling of [isComplaint, () => true]) {
    for (const { stream, lines } of ends) {
      const line = lines.findLast(isTelling);
      if (line !== undefined) return { line: line.trim().slice(0, longestLine), stream };
    }
  }
  return undefined;
}

function meaningfulLines(directory: string, name: string, stream: Stream): readonly string[] {
  const end = tailOf(join(directory, outputName(name, stream)), looked.lines);
  return (end?.lines ?? []).filter((line) => !isNoise(line)).slice(-looked.meaningful);
}
