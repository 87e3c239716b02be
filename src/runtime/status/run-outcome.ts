import type { Entity, Event, Job, Plan } from '../../ir/index.js';
import type { EntityStatus } from './entity-status.js';
import { isOver } from './judge-event.js';
import { isEnd, type LaunchEvent } from './status-event.js';
import { type Counts, launchesOf } from './this-run.js';

/** Outcome of an entity or a job in a run: `never` if the scheduler does not start it, since what it waits for cannot come. */
export type Outcome = 'pending' | 'completed' | 'failed' | 'never';

/** Facts that a run is judged by. */
export interface RunFacts {
  readonly plan: Plan;
  readonly statusOf: (entity: string) => EntityStatus;
  /** Which events of an entity are of this run. */
  readonly countsFor: (entity: Entity) => Counts;
  /** True if the process of a launch has gone, though the launch has not said so. */
  readonly isGone: (launch: LaunchEvent) => boolean;
  /** True if a job is known to have ended, whatever its launches have said. */
  readonly isJobOver: (job: string) => boolean;
}

/** Outcome of an entity in this run, also if its job is never started. */
export function entityOutcome(facts: RunFacts, entity: Entity): Outcome {
  const { members, launches } = facts.statusOf(entity.name);
  const counts = facts.countsFor(entity);
  const ours = [...launches.values()].filter(counts);
  const job = jobOf(facts.plan, entity.job);
  const isOpen = !facts.isJobOver(entity.job);
  if (ours.length === 0 && !isOpen) return 'failed';
  if (ours.length === 0) return job !== undefined && neverStarts(facts, job) ? 'never' : 'pending';
  if (isOpen && !ours.every((launch) => isOver(launch) || facts.isGone(launch))) return 'pending';
  const ended = [...members.values()].filter((event) => counts(event) && isEnd(event.state));
  const isAll = ended.length >= entity.members.count || ours.length >= launchesOf(facts.plan, entity);
  if (isOpen && !isAll) return 'pending';
  return isAll && ours.every(({ launch, exit }) => launch === 'ended' && exit === 0) ? 'completed' : 'failed';
}

/** True if a job waits for something that cannot come any more, so that the scheduler never starts it. */
export function neverStarts(facts: RunFacts, job: Job): boolean {
  return job.after.some(({ job: name, event }) => {
    const other = jobOf(facts.plan, name);
    return other !== undefined && cannotCome(jobOutcome(facts, other), event);
  });
}

function jobOutcome(facts: RunFacts, job: Job): Outcome {
  const entities = facts.plan.entities.filter(({ name }) => job.entities.includes(name));
  // A job of a store alone is waited for to start only.
  if (entities.length === 0) return 'pending';
  const outcomes = entities.map((entity) => entityOutcome(facts, entity));
  if (outcomes.includes('never')) return 'never';
  if (outcomes.includes('pending')) return 'pending';
  return outcomes.includes('failed') ? 'failed' : 'completed';
}

function cannotCome(outcome: Outcome, event: Event): boolean {
  switch (event) {
    case 'completed':
      return outcome === 'failed' || outcome === 'never';
    case 'failed':
      return outcome === 'completed' || outcome === 'never';
    case 'started':
      return outcome === 'never';
    case 'ended':
      // Schedulers differ in whether a job that was never started has ended.
      return false;
  }
}

function jobOf(plan: Plan, name: string): Job | undefined {
  return plan.jobs.find((job) => job.name === name);
}
