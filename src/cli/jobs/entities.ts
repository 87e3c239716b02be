import { join } from 'node:path';
import { type Entity, memberDigest, memberDirectory, memberName, type Plan } from '../../ir/index.js';
import { isHeld } from '../../runtime/job/member-lock.js';
import { MemberSelection } from '../../runtime/job/member-selection.js';
import { memberPath } from '../../runtime/job/paths.js';
import { type Cause, groupByCause, outputName } from '../../runtime/output/index.js';
import {
  type EntitySummary,
  isEnd,
  type MemberEvent,
  type PastEvents,
  type StatusReader,
  summarize,
} from '../../runtime/status/index.js';
import { isAlive, sameJob } from '../../targets/queries.js';
import type { JobFolder } from './folder.js';
import type { JobStanding } from './standing.js';

/** A member that failed, and where to look. */
export interface FailedMember {
  readonly index: number;
  readonly name: string;
  readonly exit: number | undefined;
  readonly signal: string | undefined;
  readonly reason: string | undefined;
  /** Line of its output that tells best why. */
  readonly line: string | undefined;
  /** File that the line is in, relative to the folder; otherwise that of its standard error. */
  readonly output: string;
}

/** Failed members of an entity with one cause. */
export interface FailureCause {
  /** `'NaN in cell …' (exit code 3)` */
  readonly cause: string;
  readonly members: readonly string[];
  /** File of the first of them that shows it, relative to the folder. */
  readonly output: string;
}

/** Members that were ended for one reason. */
export interface Interruption {
  readonly reason: string;
  readonly members: readonly string[];
}

/** An entity's members by state. */
export interface EntityReport extends EntitySummary {
  readonly job: string;
  readonly failures: readonly FailedMember[];
  /** The same by cause, the most frequent first. */
  readonly causes: readonly FailureCause[];
}

/** States of the entities. `jobs` tell which running members have ended with their job. */
export function entityReports(
  { dir, plan }: Pick<JobFolder, 'dir' | 'plan'>,
  reader: StatusReader,
  jobs: readonly JobStanding[],
): EntityReport[] {
  return plan.entities.map((entity) => {
    const own = jobs.filter(({ name }) => name === entity.job);
    const past = pastEvents(plan, entity, own);
    const summary = summarize(plan, entity, reader.of(entity.name), MemberSelection.all, past);
    const hasEnded = own.length > 0 && own.every(({ state }) => !isAlive(state) && state !== 'UNKNOWN');
    const lost = hasEnded ? Math.max(0, summary.running - runByHand(dir, entity, reader, own)) : 0;
    const isPast = (event: MemberEvent) => past.isPastMember?.(event, reader.of(entity.name)) === true;
    const failures = failuresOf(plan, entity, reader, isPast);
    return {
      ...summary,
      job: entity.job,
      running: summary.running - lost,
      interrupted: summary.interrupted + lost,
      failures,
      causes: causesOf(failures),
    };
  });
}

/**
 * Events of earlier jobs, where another one runs or waits that runs again what has failed: they say nothing of it. What a job that was
 * started by hand does now counts. Elements of a job array have ids that tell not whose they are, so there all count.
 */
function pastEvents(plan: Plan, entity: Entity, own: readonly JobStanding[]): PastEvents {
  const isArray = plan.jobs.find(({ name }) => name === entity.job)?.array !== undefined;
  if (isArray || !own.some(({ state }) => isAlive(state))) return {};
  const isPast = ({ jobId }: { readonly jobId: string }) => !own.some(({ id }) => id !== '' && sameJob(id, jobId));
  return {
    isPastMember: (event) => (event.state === 'failed' || event.state === 'interrupted') && isPast(event),
    isPastLaunch: isPast,
  };
}

/** Members that run in a job that was started by hand: no submission has it, but the locks of its members hold. */
function runByHand(dir: string, entity: Entity, reader: StatusReader, submitted: readonly JobStanding[]): number {
  return [...reader.of(entity.name).members.values()].filter(
    ({ index, jobId, state }) =>
      !isEnd(state) && !submitted.some(({ id }) => sameJob(id, jobId)) && isHeld(memberPath(dir, entity, index)),
  ).length;
}

/** Members whose last attempt failed. */
export function failuresOf(
  plan: Plan,
  entity: Entity,
  reader: StatusReader,
  isPast: (event: MemberEvent) => boolean = () => false,
): FailedMember[] {
  return [...reader.of(entity.name).members.values()]
    .filter(
      ({ state, digest, index }) =>
        state === 'failed' && index < entity.members.count && digest === memberDigest(plan, entity, index),
    )
    .filter((event) => !isPast(event))
    .sort((a, b) => a.index - b.index)
    .map(({ index, exit, signal, reason, cause }) => {
      const name = memberName(entity, index);
      const output = join(memberDirectory(entity, index), outputName(name, cause?.stream ?? 'err'));
      return { index, name, exit, signal, reason, line: cause?.line, output };
    });
}

/** Failed members by cause. */
export function causesOf(failures: readonly FailedMember[]): FailureCause[] {
  return groupByCause(failures).map(({ text, failures: group }: Cause<FailedMember>) => ({
    cause: text,
    members: group.map(({ name }) => name),
    output: group[0]?.output ?? '',
  }));
}

/** Names that are shown of members with one cause. */
const shownNames = 4;

/** `sweep_3 failed: exit code 3`, `12 members of sweep failed: 'NaN in cell …' (exit code 3): sweep_0, sweep_1, …` */
export function describeFailures(entity: string, { cause, members }: FailureCause): string {
  if (members.length === 1) return `${members[0]} failed: ${cause}`;
  const shown = members.slice(0, shownNames).join(', ');
  const more = members.length > shownNames ? ', …' : '';
  return `${members.length} members of ${entity} failed: ${cause}: ${shown}${more}`;
}

/** `sweep_3 interrupted: …`, `12 members of sweep interrupted: …: sweep_0, sweep_1, …` */
export function describeInterruption(entity: string, { reason, members }: Interruption): string {
  if (members.length === 1) return `${members[0]} interrupted: ${reason}`;
  return `${members.length} members of ${entity} interrupted: ${reason}: ${someOf(members)}`;
}

/** `sweep_0, sweep_1, sweep_2, sweep_3 and 8 more` */
export function someOf(names: readonly string[]): string {
  const more = names.length - shownNames;
  return `${names.slice(0, shownNames).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** The reason why an entity was not launched, without its name. */
export function describeSkip(reason: string): string {
  return reason.replace(/^.*? is not launched: /, '');
}
