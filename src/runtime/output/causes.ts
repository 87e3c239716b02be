import { isComplaint } from './noise.js';

/** A failure as far as its cause is concerned. */
export interface Failure {
  /** Line of its output that tells best why. */
  readonly line?: string | undefined;
  /** Simwright's own reason, if the failure came from outside. */
  readonly reason?: string | undefined;
  readonly exit?: number | undefined;
  readonly signal?: string | undefined;
}

/** Failures with one cause. */
export interface Cause<One> {
  /** Line that they have in common, in quotes, with `…` where they differ; or how they ended. */
  readonly text: string;
  readonly failures: readonly One[];
}

/** Groups failures by cause, the most frequent first; lines that differ in numbers and paths only are one cause. */
export function groupByCause<One extends Failure>(failures: readonly One[]): Cause<One>[] {
  const groups = new Map<string, One[]>();
  for (const failure of failures) {
    const key = causeKey(failure);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [failure]);
    else group.push(failure);
  }
  return [...groups.values()]
    .sort((a, b) => b.length - a.length)
    .map((group) => ({ text: describeCause(group), failures: group }));
}

function causeKey(failure: Failure): string {
  const { line, reason } = failure;
  if (reason !== undefined) return `reason ${pattern(reason)}`;
  if (line === undefined) return `end ${describeEnd(failure)}`;
  // A line that does not complain is where it was, not why it ended: how it ended counts too.
  return isComplaint(line) ? `line ${pattern(line)}` : `end ${describeEnd(failure)} ${pattern(line)}`;
}

/** `'NaN in cell …' (exit code 3)` */
function describeCause(group: readonly Failure[]): string {
  const ends = [...new Set(group.map(describeEnd))];
  const end = ends.length > 3 ? `${ends.slice(0, 3).join(', ')}, …` : ends.join(', ');
  const texts = group.map(({ reason, line }) => reason ?? line);
  const [first] = texts;
  if (first === undefined) return end;
  const text = texts.every((one) => one === first) ? first : pattern(first);
  return group[0]?.reason === undefined ? `'${text}' (${end})` : text;
}

/** `exit code 3`, or the signal. */
export function describeEnd({ exit, signal }: Failure): string {
  return signal ?? `exit code ${exit ?? '?'}`;
}

/** Stands for what differs. */
const anything = '…';

/** A line without what differs between members: times, paths, addresses, numbers. */
export function pattern(line: string): string {
  return line
    .replace(/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?/g, anything)
    .replace(/(?<![\w.])~?(?:\/[\w.+@%=,-]+)+\/?/g, anything)
    .replace(/\b0x[0-9a-f]+\b/gi, anything)
    .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, anything)
    .replace(/[-+]?(?:\d+\.?\d*|\.\d+)(?:[edED][-+]?\d+)?/g, anything)
    .replace(/…(?:[-:.,/\s]*…)+/g, anything);
}
