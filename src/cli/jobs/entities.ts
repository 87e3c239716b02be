import { join } from 'node:path';
import { type Entity, memberDigest, memberDirectory, memberName, type Plan } from '../../ir/index.js';
import { type EntitySummary, type StatusReader, summarize } from '../../runtime/status/index.js';
import { isAlive } from '../../targets/queries.js';
import type { JobStanding } from './standing.js';

/** A member that failed, and where to look. */
export interface FailedMember {
  readonly index: number;
  readonly name: string;
  readonly exit: number | undefined;
  readonly signal: string | undefined;
  readonly reason: string | undefined;
  /** What it wrote on standard error, relative to the folder. */
  readonly output: string;
}

/** An entity's members by state. */
export interface EntityReport extends EntitySummary {
  readonly job: string;
  readonly failures: readonly FailedMember[];
}

/** Where each entity stands; `jobs` tell which of those that were running have ended with their job. */
export function entityReports(plan: Plan, reader: StatusReader, jobs: readonly JobStanding[]): EntityReport[] {
  return plan.entities.map((entity) => {
    const summary = summarize(plan, entity, reader.of(entity.name));
    const own = jobs.filter(({ name }) => name === entity.job);
    const hasEnded = own.length > 0 && own.every(({ state }) => !isAlive(state) && state !== 'UNKNOWN');
    const lost = hasEnded ? summary.running : 0;
    return {
      ...summary,
      job: entity.job,
      running: summary.running - lost,
      interrupted: summary.interrupted + lost,
      failures: failuresOf(plan, entity, reader),
    };
  });
}

/** Members whose last attempt failed. */
export function failuresOf(plan: Plan, entity: Entity, reader: StatusReader): FailedMember[] {
  return [...reader.of(entity.name).members.values()]
    .filter(
      ({ state, digest, index }) =>
        state === 'failed' && index < entity.members.count && digest === memberDigest(plan, entity, index),
    )
    .sort((a, b) => a.index - b.index)
    .map(({ index, exit, signal, reason }) => {
      const name = memberName(entity, index);
      return { index, name, exit, signal, reason, output: join(memberDirectory(entity, index), `${name}.err`) };
    });
}

/** `exit code 3`, `SIGKILL`, or what kept it from running. */
export function describeFailure({ exit, signal, reason }: FailedMember): string {
  return reason ?? signal ?? `exit code ${exit ?? '?'}`;
}

/** Why an entity was not launched, without its name. */
export function describeSkip(reason: string): string {
  return reason.replace(/^.*? is not launched: /, '');
}
