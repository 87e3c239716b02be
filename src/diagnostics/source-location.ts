import { fileURLToPath } from 'node:url';

/** A place in a file of the user's own: an absolute path (or a path as the user wrote it), 1-based line and column. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * The place from which `callee` was called.
 *
 * Reads the stack as text, since Node maps positions through source maps only there.
 */
// biome-ignore lint/complexity/noBannedTypes: captureStackTrace takes any function
export function callerLocation(callee: Function): SourceLocation | undefined {
  const holder: { stack?: string } = {};
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 1;
  Error.captureStackTrace(holder, callee);
  Error.stackTraceLimit = limit;
  const frame = holder.stack?.split('\n').find((line) => /^\s+at /.test(line));
  return frame === undefined ? undefined : parseFrame(frame);
}

/** The first place named in an error's stack that lies in one of `files`. */
export function locationInStack(
  stack: string | undefined,
  isOwn: (file: string) => boolean,
): SourceLocation | undefined {
  for (const line of stack?.split('\n') ?? []) {
    if (!/^\s+at /.test(line)) continue;
    const location = parseFrame(line);
    if (location !== undefined && isOwn(location.file)) return location;
  }
  return undefined;
}

function parseFrame(frame: string): SourceLocation | undefined {
  const match = /\(?((?:file:\/\/)?\/[^()]*?):(\d+):(\d+)\)?$/.exec(frame.trim());
  if (match === null) return undefined;
  const [, where = '', line, column] = match;
  // Loaders append a query to module addresses to get around the module cache.
  const path = where.replace(/\?.*$/, '');
  return {
    file: path.startsWith('file://') ? fileURLToPath(path) : path,
    line: Number(line),
    column: Number(column),
  };
}
