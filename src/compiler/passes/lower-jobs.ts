import { type ApplicationDeclaration, applicationsOf, defined, type Event, graceOf, type Job } from '../../ir/index.js';
import { editDirectives } from '../../targets/directives.js';
import { type JobRequest, launcherOf } from '../../targets/target.js';
import type { PlacedJob, Reads } from './compilation.js';
import { jobsBefore, placeOf } from './lookup/placed-jobs.js';
import { entityOf } from './lookup/references.js';

/** A job of the plan. Its directives are those of the target, edited by the site and then by the user. */
export function lowerJob(
  job: PlacedJob,
  { experiment, site, target, jobs }: Reads<'experiment' | 'site' | 'target' | 'jobs'>,
): Job {
  const colocated = job.applications.filter((one) => one.colocated !== undefined).map(({ name }) => name);
  const [{ allocation }, ...components] = job.components;
  const { mail, directives: edits } = job.batch ?? {};
  const request: JobRequest = {
    name: job.name,
    script: `jobs/${job.name}.${target.scriptExtension}`,
    allocation,
    components: components.map((component) => component.allocation),
    graceSeconds: graceOf(allocation.walltimeSeconds ?? 0),
    ...defined({ array: job.array, separate: job.separate }),
    modules: [...site.modules, ...(job.batch?.modules ?? [])],
    preamble: [...site.preamble, ...(job.batch?.preamble ?? [])],
    stores: [...job.orchestrators.map(({ name }) => name), ...colocated],
    entities: job.applications.map(({ name }) => name),
    after: jobEvents(job, jobs, applicationsOf(experiment)),
  };
  const asked = target.directives({ ...request, ...defined({ mail }) }, launcherOf(target, site), site);
  return { ...request, directives: editDirectives(target, asked, site.directives, edits).map((list) => [...list]) };
}

/** Events of other jobs that a job waits for: the strictest that its applications wait for; for a store's job, its start. */
function jobEvents(
  job: PlacedJob,
  jobs: readonly PlacedJob[],
  applications: readonly ApplicationDeclaration[],
): Job['after'] {
  const events = new Map<PlacedJob, Set<Event>>();
  for (const after of job.applications.flatMap((one) => one.after)) {
    const other = placeOf(entityOf(after.name, applications) as ApplicationDeclaration, jobs).job;
    const awaited = events.get(other) ?? new Set();
    events.set(other, awaited.add(after.kind === 'after' ? after.event : 'started'));
  }
  return jobsBefore(job, jobs, applications).map((other) => {
    const strictest = (['completed', 'failed', 'ended', 'started'] as const).find((one) => events.get(other)?.has(one));
    return { job: other.name, event: strictest ?? 'started' };
  });
}
