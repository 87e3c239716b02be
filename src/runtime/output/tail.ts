import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

/** Bytes read from the end of a file, so that one of gigabytes costs no more than a small one. */
const mostBytes = 64 * 1024;

/** Characters of a line beyond which it is cut. */
const longestLine = 2000;

/** End of a text file. */
export interface Tail {
  /** Lines as a terminal would have left them: without control characters, of overwritten ones the last version. */
  readonly lines: readonly string[];
  /** True if there is more before them. */
  readonly isCut: boolean;
  /** Size of the file in bytes. */
  readonly bytes: number;
}

/** The last lines of a file, at most `count`, trailing empty ones left out; `undefined` where there is no such file. */
export function tailOf(path: string, count: number, bytes = mostBytes): Tail | undefined {
  const end = endOf(path, bytes);
  if (end === undefined) return undefined;
  const lines = end.text.split('\n').map(asShown);
  // The first line of a part of a file is as a rule a part of a line.
  if (end.isPart) lines.shift();
  while (lines.at(-1)?.trim() === '') lines.pop();
  const isCut = end.isPart || lines.length > count;
  return { lines: count === 0 ? [] : lines.slice(-count), isCut, bytes: end.size };
}

function endOf(path: string, bytes: number): { text: string; isPart: boolean; size: number } | undefined {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    const { size } = fstatSync(file);
    const buffer = Buffer.alloc(Math.min(size, bytes));
    const read = readSync(file, buffer, 0, buffer.length, size - buffer.length);
    return { text: buffer.toString('utf8', 0, read), isPart: size > buffer.length, size };
  } catch {
    // A folder of that name, or a file that cannot be read.
    return undefined;
  } finally {
    closeSync(file);
  }
}

/** A line of a program's output as a terminal would show it in the end. */
export function asShown(line: string): string {
  const last = line.replace(/\r+$/, '').split('\r').at(-1) ?? '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a program's output may not steer the terminal
  const plain = stripVTControlCharacters(last).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');
  return plain.length > longestLine ? `${plain.slice(0, longestLine)}…` : plain;
}
