import { counted, type Problems, type SourceLocation, suggestion } from '../../../diagnostics/index.js';
import {
  type Allocation,
  formatClock,
  nodesOfQueue,
  type QueueRange,
  type Site,
  type SiteQueue,
  secondsOfQueue,
  timesOf,
} from '../../../ir/index.js';
import type { PlacedJob, Reads } from '../compilation.js';
import { groupBy } from '../lookup/group-by.js';
import { type NamedQueue, queueOf, queueWords, wishOf } from '../lookup/queue-of.js';

/** Nodes that a job asks of one queue, whatever their kinds. */
interface Request {
  readonly job: PlacedJob;
  readonly nodes: number;
  readonly allocation: Allocation;
  readonly at: SourceLocation | undefined;
}

/** Every job goes to a queue that takes it, and names what the site requires. */
export function checkQueues({ jobs, site, target }: Reads<'jobs' | 'site' | 'target'>, problems: Problems): void {
  if (target.capabilities.oneNode) return;
  const asked = new Map<string, number>();
  for (const job of jobs) {
    checkRequired(job, site, problems);
    // A reservation has limits of its own.
    if (Object.keys(site.queues).length === 0 || job.batch?.reservation !== undefined) continue;
    for (const { found, request } of requestsOf(job, site, problems)) {
      checkRequest(request, found, site, problems);
      asked.set(found.name, (asked.get(found.name) ?? 0) + (job.separate ?? 1));
      checkNumber(found, asked.get(found.name) ?? 0, request, problems);
    }
  }
}

/** The jobs of a user in one queue are no more than it takes. Jobs beyond the first that is too many say nothing new. */
function checkNumber({ name, queue }: NamedQueue, jobs: number, { job, at }: Request, problems: Problems): void {
  const { maxJobs = Number.POSITIVE_INFINITY } = queue;
  if (jobs <= maxJobs || jobs - (job.separate ?? 1) > maxJobs) return;
  const message = `job '${job.name}' makes ${jobs} jobs of this workflow in queue '${name}', which takes ${maxJobs} of one user`;
  problems.error('QUEUE1001', message, at, 'leave out .batch() where entities may share a job, or name other queues');
}

/** Place at which a user says what a job is. */
function placeOfJob({ batch, applications, orchestrators }: PlacedJob): SourceLocation | undefined {
  return batch?.at ?? applications[0]?.at ?? orchestrators[0]?.at;
}

function checkRequired(job: PlacedJob, { required, name }: Site, problems: Problems): void {
  const [{ allocation }] = job.components;
  const said = { ...allocation, walltime: allocation.walltimeSeconds };
  const missing = required.filter((one) => said[one] === undefined);
  if (missing.length === 0) return;
  const message = `job '${job.name}' names no ${missing.join(', no ')}, and site '${name}' takes none without`;
  const fields = missing.map((one) => `${one}: '…'`).join(', ');
  problems.error('QUEUE1003', message, placeOfJob(job), `.batch({ ${fields} }), or defaults of a site that extends it`);
}

/** The requests of a job by queue. */
function requestsOf(
  job: PlacedJob,
  site: Site,
  problems: Problems,
): { readonly found: NamedQueue; readonly request: Request }[] {
  const at = placeOfJob(job);
  const parts = job.components.flatMap((component) => {
    const wish = wishOf([...component.applications, ...component.orchestrators], job.batch);
    const found = queueOf(site, wish);
    if (found !== undefined) return { found, component };
    const { queue, qos } = queueWords(site, wish);
    const name = queue ?? qos;
    if (name !== undefined) {
      const message = `site '${site.name}' describes no queue '${name}', so nothing is known of its limits`;
      problems.warning('QUEUE1010', message, at, suggestion(name, Object.keys(site.queues)));
    }
    return [];
  });
  return [...groupBy(parts, ({ found }) => found.name).values()].map((own) => {
    const [first] = own as [(typeof parts)[number]];
    const nodes = job.nodesSaid ?? own.reduce((sum, { component }) => sum + component.allocation.nodes, 0);
    return { found: first.found, request: { job, nodes, allocation: first.component.allocation, at } };
  });
}

function checkRequest(request: Request, found: NamedQueue, site: Site, problems: Problems): void {
  const reasons = reasonsAgainst(request, found.queue);
  if (reasons.length === 0) return;
  const { job, nodes, allocation, at } = request;
  const time = allocation.walltimeSeconds === undefined ? '' : ` for ${formatClock(allocation.walltimeSeconds)}`;
  const message = `job '${job.name}' asks for ${counted(nodes, 'node')}${time}, and queue '${found.name}' takes ${reasons.join(' and ')}`;
  problems.error('QUEUE1001', message, at, hintFor(request, site));
}

/** The ranges of a queue that a job is outside of. */
function reasonsAgainst({ nodes, allocation: { walltimeSeconds } }: Request, queue: SiteQueue): string[] {
  const ofNodes = nodesOfQueue(queue);
  const ofTime = secondsOfQueue(queue, nodes);
  const isOutside = (amount: number, { least, most }: QueueRange) => amount < least || amount > most;
  const jobs = queue.bins === undefined ? 'jobs' : `jobs of ${counted(nodes, 'node')}`;
  return [
    ...(isOutside(nodes, ofNodes) ? [`${range(ofNodes, String)} ${ofNodes.most === 1 ? 'node' : 'nodes'}`] : []),
    ...(walltimeSeconds !== undefined && isOutside(walltimeSeconds, ofTime)
      ? [`${jobs} of ${range(ofTime, formatClock)}`]
      : []),
  ];
}

/** `1 to 2`, `at most 2`, `10 or more`. */
function range({ least, most }: QueueRange, format: (amount: number) => string): string {
  if (most === Number.POSITIVE_INFINITY) return `${format(least)} or more`;
  if (least === most) return format(least);
  return least === 0 ? `at most ${format(most)}` : `${format(least)} to ${format(most)}`;
}

/** Queues that would take the job, cheapest first, each with its cost. */
function hintFor(request: Request, site: Site): string {
  const { job, nodes, allocation } = request;
  const { cpusPerNode = 0, gpusPerNode = 0, memoryPerNodeMiB = 0, walltimeSeconds } = allocation;
  const fitting = Object.entries(site.queues).filter(([, queue]) => {
    const { cores, gpus, memoryMiB } = { ...site.node, ...queue.node };
    const holds = (has: number | undefined, needed: number) => has === undefined || has >= needed;
    const isLarge = holds(cores, cpusPerNode) && holds(gpus, gpusPerNode) && holds(memoryMiB, memoryPerNodeMiB);
    return isLarge && reasonsAgainst(request, queue).length === 0;
  });
  if (fitting.length === 0) return 'no queue of the site takes it: change nodes or walltime in .batch()';
  const hours = walltimeSeconds === undefined ? undefined : (timesOf(job) * nodes * walltimeSeconds) / 3600;
  const costs = fitting
    .map(([name, { chargeFactor = 1 }]) => ({ name, chargeFactor }))
    .sort((one, other) => one.chargeFactor - other.chargeFactor)
    .map(({ name, chargeFactor }) =>
      hours === undefined ? name : `${name} (${(hours * chargeFactor).toFixed(2)} node-hours charged)`,
    );
  return `these take it: ${costs.join(', ')}`;
}
