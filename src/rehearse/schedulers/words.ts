import { Refused } from '../refused.js';
import type { Answer, Job, JobRequest, Run, SchedulerCommand } from '../standins.js';

/** A line that looks like a directive and is not read. */
export type Ignored = JobRequest['ignored'][number];

/** Parts of a line as a shell parts them: both kinds of quotes group, and a backslash counts in double ones. */
export function shellWords(text: string): string[] {
  return (text.match(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s"'])+/g) ?? []).map((word) =>
    word.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'/g, (_, double, single) => single ?? double.replace(/\\(.)/g, '$1')),
  );
}

/** An answer on standard output. */
export function printed(stdout: string, code = 0, stderr = ''): Answer {
  return { stdout, stderr, code };
}

/** A command whose refusals are answers. */
export function refusing(work: SchedulerCommand): SchedulerCommand {
  return (call, cluster) => {
    try {
      return work(call, cluster);
    } catch (error) {
      if (error instanceof Refused) return { stdout: '', stderr: `${error.stderr}\n`, code: error.code };
      throw error;
    }
  };
}

/** The script of a submission: the file that is named, or standard input. */
export function scriptText(command: string, text: string | undefined, path: string | undefined): string {
  if (text === undefined) throw new Refused(`${command}: ${path ?? 'standard input'}: No such file or directory`, 1);
  return text;
}

/** `CRLF` line ends are refused by those that look for them. */
export function hasCarriageReturns(text: string): boolean {
  return /\r$/m.test(text);
}

/** Sum of the seconds of `H:M:S`, `M:S` or `S`. */
export function clock(text: string): number {
  return text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}

/** `HH:MM:SS`. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

/** Indices of `first-last:step`. */
export function indicesOf(first: number, last: number, step: number): number[] {
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, place) => first + place * step);
}

const ended: readonly Run['state'][] = ['completed', 'failed', 'cancelled', 'timeout', 'node_fail'];

/** True if a run is over. */
export function hasEnded({ state }: Run): boolean {
  return ended.includes(state);
}

/** True if all runs of a job are over. */
export function isOver(job: Job): boolean {
  return job.runs.every(hasEnded);
}

/** Seconds that a run has run. */
export function elapsed({ startedAt, endedAt }: Run, now: number): number {
  return startedAt === undefined ? 0 : Math.max(0, Math.floor((endedAt ?? now) - startedAt));
}

/** Environment variables from `A=1,B`, those without a value from the caller. */
export function namedVariables(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  missing: (name: string) => string | undefined,
): Record<string, string> {
  return Object.fromEntries(
    words.flatMap((word): [string, string][] => {
      const [, name = word, value] = /^([^=]+)=(.*)$/s.exec(word) ?? [];
      const found = value ?? env[name] ?? missing(name);
      return found === undefined ? [] : [[name, found]];
    }),
  );
}
