import type { Problems } from '../../diagnostics/index.js';
import {
  type Allocation,
  type ApplicationDeclaration,
  applicationsOf,
  type BatchDeclaration,
  type ExperimentDeclaration,
  type Members,
  parseWalltime,
  type Site,
} from '../../ir/index.js';
import { entityOf } from './check-names.js';
import { visibleStores } from './check-stores.js';
import { peakDemand, predecessors, topological } from './order.js';
import type { StepSize } from './size-steps.js';

/** Applications that share one allocation, and what it is. */
export interface PlacedJob {
  readonly name: string;
  readonly batch: BatchDeclaration | undefined;
  readonly applications: readonly ApplicationDeclaration[];
  readonly allocation: Allocation;
  readonly array: { readonly size: number; readonly maxConcurrent?: number } | undefined;
}

/** What a scheduler takes as a job array. */
export interface ArrayLimits {
  readonly jobArrays: boolean;
  readonly minArraySize: number;
  readonly maxArraySize: number;
}

/** What the passes before found out about each application. */
export interface Sized {
  readonly size: StepSize;
  readonly members: Members;
}

/**
 * Puts every application into a job: those with a `.batch()` of their own into one each, the others into the experiment's.
 * Jobs come in an order in which each follows those it waits for.
 */
export function placeJobs(
  experiment: ExperimentDeclaration,
  sized: ReadonlyMap<ApplicationDeclaration, Sized>,
  site: Site,
  arrays: ArrayLimits,
  problems: Problems,
): PlacedJob[] {
  const applications = applicationsOf(experiment);
  const shared = applications.filter(({ batch }) => batch === undefined);
  const jobs: PlacedJob[] = [];
  const allocate = (batch: BatchDeclaration | undefined, members: readonly ApplicationDeclaration[]) =>
    allocation(experiment, batch, members, sized, site, problems);
  for (const application of applications) {
    if (application.batch === undefined) {
      if (jobs.some((job) => job.applications === shared)) continue;
      const taken = applications.some(({ name, batch }) => batch !== undefined && name === experiment.name);
      const name = taken ? `${experiment.name}.main` : experiment.name;
      jobs.push({
        name,
        batch: experiment.batch,
        applications: shared,
        allocation: allocate(experiment.batch, shared),
        array: undefined,
      });
      continue;
    }
    const alone = [application];
    const array = arrayOf(application, sized, arrays, site, problems);
    jobs.push({
      name: application.name,
      batch: application.batch,
      applications: alone,
      allocation: allocate(application.batch, alone),
      array,
    });
  }
  if (experiment.batch?.mode === 'array') {
    const hint = "describe the ensemble's own job: .ensemble(…).batch({ mode: 'array' })";
    problems.error('PLAN1002', "the experiment's own job cannot be a job array", experiment.batch.at, hint);
  }
  checkSharedStores(experiment, applications, problems);
  return inOrder(jobs, applications, problems);
}

/** Jobs that a job waits for. */
export function jobsBefore(
  job: PlacedJob,
  jobs: readonly PlacedJob[],
  applications: readonly ApplicationDeclaration[],
): PlacedJob[] {
  return jobs.filter(
    (other) =>
      other !== job &&
      job.applications.some(({ after }) =>
        after.some(({ name }) => other.applications.includes(entityOf(name, applications) as ApplicationDeclaration)),
      ),
  );
}

function inOrder(jobs: PlacedJob[], applications: readonly ApplicationDeclaration[], problems: Problems): PlacedJob[] {
  const sorted = topological(jobs, (job) => jobsBefore(job, jobs, applications));
  if (sorted !== undefined) return sorted;
  const hint = 'leave out .batch() where entities wait for each other in both directions, so that they share a job';
  problems.error('REF1002', 'jobs would wait for each other', applications.find(({ batch }) => batch)?.batch?.at, hint);
  return jobs;
}

function arrayOf(
  { name, kind, batch }: ApplicationDeclaration,
  sized: ReadonlyMap<ApplicationDeclaration, Sized>,
  { jobArrays, minArraySize, maxArraySize }: ArrayLimits,
  site: Site,
  problems: Problems,
): PlacedJob['array'] {
  if (batch?.mode !== 'array') return undefined;
  if (kind === 'model') {
    problems.error(
      'PLAN1002',
      `model '${name}' has no members to make a job array of`,
      batch.at,
      "leave out mode: 'array'",
    );
    return undefined;
  }
  const size = [...sized].find(([application]) => application.name === name)?.[1].members.count ?? 1;
  // Without arrays, or with fewer members than an array must have, one job runs them all: the workflow stays the same.
  if (!jobArrays || size < minArraySize) return undefined;
  if (size > maxArraySize) {
    const message = `'${name}' has ${size} members, and a job array on site '${site.name}' at most ${maxArraySize}`;
    problems.error(
      'PLAN1001',
      message,
      batch.at,
      "use mode: 'packed', or raise the site's maxArraySize if the scheduler takes more",
    );
  }
  return { size, ...(batch.maxConcurrent === undefined ? {} : { maxConcurrent: batch.maxConcurrent }) };
}

/** A store lives inside one job; only entities of that job can use it. */
function checkSharedStores(
  experiment: ExperimentDeclaration,
  applications: readonly ApplicationDeclaration[],
  problems: Problems,
): void {
  for (const application of applications) {
    const standalone = visibleStores(experiment, application).find(({ kind }) => kind === 'standalone');
    if (application.batch === undefined || standalone === undefined) continue;
    const message = `'${application.name}' is a job of its own and would share a standalone store with others, which is not supported yet`;
    const hint =
      "describe one job with experiment('…').batch({ … }) instead, or leave out the store and use .colocate()";
    problems.error('STORE1003', message, application.batch.at, hint);
  }
}

/** Beyond this many CPUs on a node of unknown size, whole nodes are asked for instead. */
const guessedCores = 64;

function allocation(
  experiment: ExperimentDeclaration,
  batch: BatchDeclaration | undefined,
  applications: readonly ApplicationDeclaration[],
  sized: ReadonlyMap<ApplicationDeclaration, Sized>,
  site: Site,
  problems: Problems,
): Allocation {
  const facts = (application: ApplicationDeclaration) => sized.get(application) as Sized;
  const atOnce = (application: ApplicationDeclaration) =>
    application.kind === 'model' || application.batch?.mode === 'array'
      ? 1
      : Math.min(
          facts(application).members.count,
          application.batch?.maxConcurrent ?? batch?.maxConcurrent ?? Number.POSITIVE_INFINITY,
        );
  const cpusOf = (application: ApplicationDeclaration) => {
    const { tasks, cpusPerTask } = facts(application).size;
    return atOnce(application) * tasks * cpusPerTask;
  };
  const standalone = experiment.entities.filter((entity) => entity.kind === 'orchestrator');
  const hasStandalone = applications.some((one) => one.batch === undefined);
  const storeCpus = hasStandalone ? standalone.reduce((sum, { cpus }) => sum + (cpus ?? 1), 0) : 0;
  const colocatedOf = ({ colocated }: ApplicationDeclaration) => (colocated === undefined ? 0 : (colocated.cpus ?? 1));
  const colocatedCpus = applications.reduce((sum, one) => sum + colocatedOf(one), 0);
  const peak = peakDemand(applications, cpusOf) + storeCpus;
  const gpusOf = (application: ApplicationDeclaration) => {
    const { gpusPerNode, gpusPerTask, nodes, tasks } = facts(application).size;
    return atOnce(application) * (gpusPerNode === undefined ? (gpusPerTask ?? 0) * tasks : gpusPerNode * nodes);
  };
  const peakGpus = peakDemand(applications, gpusOf);
  const { cores, gpus } = site.node;
  const widest = Math.max(1, ...applications.map((one) => facts(one).size.nodes));
  const fitting = Math.max(
    cores === undefined ? 1 : Math.ceil(peak / Math.max(1, cores - colocatedCpus)),
    gpus === undefined || gpus === 0 ? 1 : Math.ceil(peakGpus / gpus),
  );
  const nodes =
    batch?.nodes ?? Math.min(Math.max(widest, fitting), Math.max(widest, site.maxNodes ?? Number.POSITIVE_INFINITY));
  const at = batch?.at ?? applications[0]?.at;
  if (nodes < widest) {
    const wide = applications.find((one) => facts(one).size.nodes > nodes);
    problems.error(
      'PLAN1001',
      `'${wide?.name}' needs ${widest} nodes, and its job has ${nodes}`,
      at,
      'raise nodes in .batch()',
    );
  }
  if (site.maxNodes !== undefined && nodes > site.maxNodes) {
    problems.error(
      'PLAN1001',
      `the job needs ${nodes} nodes, and site '${site.name}' gives at most ${site.maxNodes}`,
      at,
    );
  }
  const wanted = Math.ceil(peak / nodes) + colocatedCpus;
  const exclusive = batch?.exclusive ?? (cores === undefined && wanted > guessedCores);
  // A step, or a store, has to fit on a node as a whole.
  const cpusPerNode = Math.max(
    Math.min(wanted, cores ?? Number.POSITIVE_INFINITY),
    ...applications.map((one) => facts(one).size.tasksPerNode * facts(one).size.cpusPerTask + colocatedOf(one)),
    ...(hasStandalone ? standalone.map(({ cpus }) => cpus ?? 1) : []),
  );
  if (cores !== undefined && cpusPerNode > cores) {
    const message = `the job needs ${cpusPerNode} CPUs on a node, its stores' included, and site '${site.name}' has ${cores}`;
    problems.error('PLAN1001', message, at, 'raise .nodes(), or lower cpus of the store');
  }
  const gpusPerNode =
    batch?.gpusPerNode ??
    Math.max(
      // More than one member needs is asked for only where it is known to be there.
      gpus === undefined ? 0 : Math.min(gpus, Math.ceil(peakGpus / nodes)),
      ...applications.map(
        (one) => facts(one).size.gpusPerNode ?? (facts(one).size.gpusPerTask ?? 0) * facts(one).size.tasksPerNode,
      ),
    );
  if (gpus !== undefined && gpusPerNode > gpus) {
    problems.error('PLAN1001', `the job needs ${gpusPerNode} GPUs a node, and site '${site.name}' has ${gpus}`, at);
  }
  const memory = batch?.memoryMiB ?? Math.max(0, ...applications.map((one) => facts(one).size.memoryPerNodeMiB ?? 0));
  const most = site.node.memoryMiB;
  if (most !== undefined && memory > most && batch?.memoryMiB !== undefined) {
    problems.error('PLAN1001', `the job needs ${memory} MiB a node, and site '${site.name}' has ${most}`, at);
  }
  const walltimeSeconds =
    batch?.walltimeSeconds ??
    (exclusive ? undefined : summedWalltime(applications, facts, atOnce, nodes * cpusPerNode)) ??
    (site.defaults.walltime === undefined ? undefined : parseWalltime(site.defaults.walltime));
  const account = batch?.account ?? site.defaults.account;
  const queue = batch?.queue ?? site.defaults.queue;
  return {
    nodes,
    ...(exclusive ? (cores === undefined ? {} : { cpusPerNode: cores }) : { cpusPerNode }),
    exclusive,
    ...(gpusPerNode > 0 ? { gpusPerNode } : {}),
    ...(memory > 0 ? { memoryPerNodeMiB: memory } : {}),
    ...(walltimeSeconds === undefined ? {} : { walltimeSeconds }),
    ...(account === undefined ? {} : { account }),
    ...(queue === undefined ? {} : { queue }),
    ...(batch?.qos === undefined ? {} : { qos: batch.qos }),
    ...(batch?.reservation === undefined ? {} : { reservation: batch.reservation }),
    ...(batch?.constraint === undefined ? {} : { constraint: batch.constraint }),
  };
}

/** Time a store needs to come up and applications to be staged. */
const startSeconds = 60;

/** The longest chain of applications that wait for each other, if every one of them has a walltime. */
function summedWalltime(
  applications: readonly ApplicationDeclaration[],
  facts: (application: ApplicationDeclaration) => Sized,
  atOnce: (application: ApplicationDeclaration) => number,
  cpus: number,
): number | undefined {
  const seconds = new Map<ApplicationDeclaration, number>();
  for (const application of applications) {
    const { size, members } = facts(application);
    if (size.walltimeSeconds === undefined) return undefined;
    const slots = Math.max(1, Math.min(atOnce(application), Math.floor(cpus / (size.tasks * size.cpusPerTask))));
    const waves = application.batch?.mode === 'array' ? 1 : Math.ceil(members.count / slots);
    seconds.set(application, size.walltimeSeconds * waves);
  }
  const finish = (application: ApplicationDeclaration): number => {
    const before = [...predecessors(application, applications)].filter((one) => seconds.has(one));
    return (seconds.get(application) ?? 0) + Math.max(0, ...before.map(finish));
  };
  return startSeconds + Math.max(0, ...applications.map(finish));
}
