import { findSourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';

/** A place in a file of the user's own: an absolute path (or a path as the user wrote it), 1-based line and column. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * The place from which `callee` was called, mapped through the source map that Node knows of its file. Where Node knows none, the
 * stack's text tells: a test runner maps that of modules it evaluates itself.
 */
// biome-ignore lint/complexity/noBannedTypes: captureStackTrace takes any function
export function callerLocation(callee: Function): SourceLocation | undefined {
  const { stackTraceLimit, prepareStackTrace } = Error;
  Error.stackTraceLimit = 1;
  try {
    const text: { stack?: string } = {};
    Error.captureStackTrace(text, callee);
    const frame = text.stack?.split('\n').find((line) => /^\s+at /.test(line));
    const shown = frame === undefined ? undefined : parseFrame(frame);
    Error.prepareStackTrace = (_error, sites) => sites;
    const raw: { stack?: readonly NodeJS.CallSite[] } = {};
    Error.captureStackTrace(raw, callee);
    return mapped(raw.stack?.[0], shown) ?? shown;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    Error.prepareStackTrace = prepareStackTrace;
  }
}

function mapped(site: NodeJS.CallSite | undefined, shown: SourceLocation | undefined): SourceLocation | undefined {
  const script = site?.getFileName();
  const [line, column] = [site?.getLineNumber(), site?.getColumnNumber()];
  if (typeof script !== 'string' || typeof line !== 'number' || typeof column !== 'number') return undefined;
  // Not findOrigin: it adds the distance from the start of the segment, which is that of the generated text.
  const entry = findSourceMap(script)?.findEntry(line - 1, column - 1);
  if (entry === undefined || !('originalLine' in entry) || shown === undefined) return undefined;
  return { file: shown.file, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
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
