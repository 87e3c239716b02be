import { applicationsOf, asScheduled, defined, graceOf, type Job, type Store } from '../../ir/index.js';
import { editDirectives } from '../../targets/directives.js';
import { type JobRequest, launcherOf } from '../../targets/target.js';
import { allowNodes } from './allow-nodes.js';
import type { PlacedJob, Reads } from './compilation.js';
import { jobEvents } from './job-events.js';
import { groupsOf } from './lookup/placed-jobs.js';
import { outlivesNodes } from './lookup/visible-stores.js';

/** A job of the plan. Its directives are those of the target, edited by the site and then by the user. */
export function lowerJob(
  job: PlacedJob,
  planned: readonly Store[],
  input: Reads<'experiment' | 'site' | 'target' | 'jobs' | 'launchers'>,
): Job {
  const { experiment, site, target, jobs } = input;
  const colocated = job.applications.filter((one) => one.colocated !== undefined).map(({ name }) => name);
  const [{ allocation }, ...components] = job.components;
  const { mail, directives: edits } = job.batch ?? {};
  const request: JobRequest = {
    name: job.name,
    script: `jobs/${job.name}.${target.scriptExtension}`,
    allocation,
    components: components.map((component) => component.allocation),
    groups: groupsOf(job).map(({ group: { first, nodes }, index }) => ({ component: index, first, nodes })),
    graceSeconds: graceOf(allocation.walltimeSeconds ?? 0),
    ...defined({ array: job.array, separate: job.separate }),
    ...(Object.keys(site.env).length === 0 ? {} : { env: site.env }),
    modules: [...site.modules, ...(job.batch?.modules ?? [])],
    preamble: [...site.preamble, ...(job.batch?.preamble ?? [])],
    ...allowNodes(job, planned, input),
    stores: [...job.orchestrators.map(({ name }) => name), ...colocated],
    entities: job.applications.map(({ name }) => name),
    after: jobEvents(jobs, applicationsOf(experiment), target).get(job) ?? [],
  };
  const asked = target.directives(
    { ...asScheduled(request), ...defined({ mail }), outlivesNodes: job.orchestrators.some(outlivesNodes) },
    launcherOf(target, site),
    site,
  );
  return { ...request, directives: editDirectives(target, asked, site.directives, edits).map((list) => [...list]) };
}
