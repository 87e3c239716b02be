import { join, relative } from 'node:path';
import { tailOf } from '../../runtime/output/index.js';
import { StatusReader } from '../../runtime/status/index.js';
import { jobLogs } from '../logs/job-logs.js';
import { interruptionsOf } from '../logs/overview.js';
import { simwrightCommand } from '../shell-command.js';
import { causesOf, describeFailures, describeInterruption, failuresOf } from './entities.js';
import { failureOutput } from './failure-output.js';
import type { JobFolder } from './folder.js';

/** A sentence that says what failed, and the end of the file that shows it. */
export interface FailureReason {
  readonly what: string;
  /** Relative to the folder; absent where the sentence is all that is known. */
  readonly output?: string;
  readonly lines: readonly string[];
}

/** Jobs that have failed, and the members that were to run. */
export interface FailedPart {
  /** Sentences that say how they ended, by their names. */
  readonly jobs: ReadonlyMap<string, string>;
  readonly has?: (entity: string, index: number) => boolean;
}

/** Lines shown of an output. */
const shownLines = 12;

/** Most reasons that are shown. */
const shownReasons = 5;

/**
 * Reasons of the failure of jobs: members by the causes of their failures and by what ended them, and, where no member has failed by itself,
 * the end of the job's log, which has what the script and the runtime said.
 */
export function failureReasons(folder: JobFolder, { jobs, has = () => true }: FailedPart): FailureReason[] {
  const { dir, plan } = folder;
  const reader = new StatusReader(dir);
  reader.refresh();
  return [...jobs].flatMap(([name, end]) => {
    const entities = plan.entities.filter(({ job }) => job === name);
    const causes = entities.flatMap((entity) => {
      const failures = failuresOf(plan, entity, reader).filter(({ index }) => has(entity.name, index));
      return causesOf(failures).map((cause): FailureReason => {
        const { file, lines } = failureOutput(dir, cause.output, shownLines);
        return { what: describeFailures(entity.name, cause), output: file, lines };
      });
    });
    if (causes.length > 0) return causes;
    const interrupted = entities.flatMap((entity) =>
      interruptionsOf(entity, reader, (index) => has(entity.name, index)).map(
        (one): FailureReason => ({ what: describeInterruption(entity.name, one), lines: [] }),
      ),
    );
    return [...interrupted, logReason(folder, name, end)];
  });
}

/** The reasons as text, each with the end of its output, and how many more there are. */
export function formatReasons(reasons: readonly FailureReason[], folder: string): string {
  const parts = reasons.slice(0, shownReasons).map(({ what, output, lines }) => {
    const shown = lines.map((line) => `  ${line}`.trimEnd());
    return [
      output === undefined ? what : `${what}; see ${relative(process.cwd(), join(folder, output))}`,
      ...shown,
    ].join('\n');
  });
  const more = reasons.length - shownReasons;
  if (more > 0) parts.push(`and ${more} more causes: ${simwrightCommand('logs', folder)}`);
  return parts.join('\n\n');
}

/** End of the log of a job's last run, if it has one. */
function logReason(folder: JobFolder, name: string, what: string): FailureReason {
  const job = folder.plan.jobs.find((one) => one.name === name);
  const [output] = job === undefined ? [] : jobLogs(folder, job);
  if (output === undefined) return { what, lines: [] };
  return { what, output, lines: lastRunOf(tailOf(join(folder.dir, output), shownLines)?.lines ?? [], name) };
}

/** Lines of a job's log from its last heading on: each run on this machine adds to it. */
function lastRunOf(lines: readonly string[], job: string): readonly string[] {
  return lines.slice(lines.findLastIndex((line) => line.startsWith(`--- ${job}, `)) + 1);
}
