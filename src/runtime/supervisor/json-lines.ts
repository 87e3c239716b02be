import type { Readable, Writable } from 'node:stream';

/** Calls `onLine` with each line of the stream that is JSON; other lines go to `onOther`. */
export function readJsonLines(
  stream: Readable,
  onLine: (value: unknown) => void,
  onOther: (line: string) => void = () => {},
): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch {
        onOther(line);
        continue;
      }
      onLine(value);
    }
  });
}

/** Writes a value as one line of JSON. */
export function writeJsonLine(stream: Writable, value: unknown): void {
  stream.write(`${JSON.stringify(value)}\n`);
}
