import type { Job, LauncherName, Site } from '../ir/index.js';
import { launchers } from './launchers/index.js';
import type { NotSupported, Target } from './target.js';

/** Everything that a job asks for and that its scheduler, or its launcher, does not offer. */
export function jobRefusals(job: Job, target: Target, launcher: LauncherName, site: Site): readonly NotSupported[] {
  if (target.capabilities.oneNode) return [];
  const { capabilities, name } = target;
  const parts = [job.allocation, ...job.components];
  const refusals: NotSupported[] = [];
  const refuse = (notSupported: string, hint: string) => refusals.push({ notSupported, hint });
  if (job.components.length > 0 && !capabilities.heterogeneousJobs) {
    refuse(`${name} has no jobs whose nodes differ`, 'give the entities that differ jobs of their own with .batch()');
  }
  if (job.components.length > 0 && launchers[launcher].nodesAlike === true) {
    refuse(
      `the nodes of a job for ${launcher} are all alike`,
      'give the entities that differ jobs of their own with .batch()',
    );
  }
  if (job.array !== undefined && !capabilities.jobArrays) {
    refuse(`${name} has no job arrays`, "use .batch({ mode: 'packed' }) or .batch({ mode: 'separate' })");
  }
  if (job.array !== undefined && job.components.length > 0 && target.componentSeparator !== undefined) {
    refuse(
      `${name} has no arrays of jobs whose nodes differ`,
      "use .batch({ mode: 'separate' }), or ask for nodes of one kind",
    );
  }
  if (!capabilities.gpus && parts.some(({ gpusPerNode = 0 }) => gpusPerNode > 0)) {
    refuse(
      `${name} has no words for GPUs`,
      'choose nodes that have them with .batch({ queue }) or .batch({ constraint })',
    );
  }
  const { qos } = job.allocation;
  if (qos !== undefined && target.wordFlags?.qos === undefined) {
    refuse(`${name} has no qos ('${qos}')`, 'name a queue, or a project as account');
  }
  if (!capabilities.excludedHosts && parts.some(({ excludeHosts = [] }) => excludeHosts.length > 0)) {
    refuse(`${name} cannot leave out single hosts`, 'name the hosts to have with .hosts()');
  }
  const odd = job.after.find(({ event }) => !capabilities.jobEvents.includes(event));
  if (odd !== undefined) {
    refuse(
      `${name} cannot start a job when '${odd.job}' has ${odd.event}`,
      `a job can wait for another to be: ${capabilities.jobEvents.join(', ')}`,
    );
  }
  return [...refusals, ...(target.refusals?.(job, site) ?? [])];
}
