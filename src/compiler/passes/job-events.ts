import type { AfterDeclaration, ApplicationDeclaration, Event, Job } from '../../ir/index.js';
import type { Target } from '../../targets/target.js';
import type { PlacedJob } from './compilation.js';
import { jobsBefore, placeOf } from './lookup/placed-jobs.js';
import { entityOf } from './lookup/references.js';

const eventsByTarget = new WeakMap<readonly PlacedJob[], Map<PlacedJob, Job['after']>>();

/**
 * Events of other jobs that each job waits for: the strictest that its applications wait for; of a store's job, its start. Where a job's one
 * status stands for more than what is waited for, it is waited for to end, and the runtime decides by the status files.
 */
export function jobEvents(
  jobs: readonly PlacedJob[],
  applications: readonly ApplicationDeclaration[],
  target: Target,
): ReadonlyMap<PlacedJob, Job['after']> {
  const known = eventsByTarget.get(jobs);
  if (known !== undefined) return known;
  const endings = new Set<PlacedJob>();
  const events = new Map<PlacedJob, Job['after']>();
  // Those that wait come before what they wait for.
  for (const job of [...jobs].reverse()) {
    const isLenient = target.capabilities.unstartedEndChains && endings.has(job);
    const after = jobsBefore(job, jobs, applications).map((other) => {
      const strict = strictest(job, other, jobs, applications, target);
      const event = isLenient && strict !== 'started' ? 'ended' : strict;
      // A job that has to end has to start, and so have those it waits for.
      if (isLenient || event === 'ended') endings.add(other);
      return { job: other.name, event };
    });
    events.set(job, after);
  }
  eventsByTarget.set(jobs, events);
  return events;
}

function strictest(
  job: PlacedJob,
  other: PlacedJob,
  jobs: readonly PlacedJob[],
  applications: readonly ApplicationDeclaration[],
  target: Target,
): Event {
  const events = job.applications
    .flatMap((one) => one.after)
    .filter(({ name }) => placeOf(entityOf(name, applications) as ApplicationDeclaration, jobs).job === other)
    .map((after) => jobEvent(after, other, target));
  return (['completed', 'failed', 'ended', 'started'] as const).find((one) => events.includes(one)) ?? 'started';
}

/** The event of a job by which one of an entity in it is told. */
function jobEvent(after: AfterDeclaration, other: PlacedJob, { capabilities }: Target): Event {
  if (after.kind !== 'after') return 'started';
  const { name, event } = after;
  if (event === 'started' || !capabilities.jobEvents.includes('ended')) return event;
  const [only] = other.applications;
  const isWhole = other.applications.length === 1 && only?.name === name;
  const { array, separate } = other;
  // A failure of one member is none of the others; of an array some schedulers tell how the last element has ended.
  const isOfAll =
    event === 'completed'
      ? array === undefined || capabilities.arraysFailWithElements
      : array === undefined && separate === undefined;
  return isWhole && isOfAll ? event : 'ended';
}
