import { formatClock, type LauncherName, parseWalltime, type SiteInput, type SiteQueue } from '../../ir/index.js';
import { launchers } from '../../targets/launchers/index.js';
import type { NodeShape, Queue, SchedulerFacts } from '../../targets/probe.js';
import { targets } from '../../targets/registry.js';
import type { Target } from '../../targets/target.js';
import type { LaunchersFacts } from './launchers.js';
import type { NodeFacts } from './node.js';
import { noScheduler } from './scheduler.js';

/** A field of a drafted site, with where it comes from. */
export interface DraftField {
  readonly name: keyof SiteInput;
  readonly value: unknown;
  readonly comment: string;
}

/** Facts that a site is drafted from. */
export interface DraftInput {
  readonly scheduler: SchedulerFacts | undefined;
  readonly launchers: LaunchersFacts;
  readonly node: NodeFacts;
  readonly host: string;
  readonly cores: number;
  /** True if the file of Node.js lies on a network file system. */
  readonly nodeIsShared: boolean;
  readonly interface: string | undefined;
}

/** A site as far as the scheduler and this machine tell, a field with its reason each. */
export function draftSite(input: DraftInput): DraftField[] {
  const { scheduler, host } = input;
  const name = siteName(scheduler?.cluster ?? host);
  if (scheduler === undefined) {
    return [
      { name: 'name', value: name, comment: `the name of this machine` },
      { name: 'target', value: 'local', comment: `there is ${noScheduler}` },
      { name: 'node', value: { cores: input.cores }, comment: 'cores of this machine' },
    ];
  }
  const queue = scheduler.queues.find(({ isDefault }) => isDefault) ?? scheduler.queues[0];
  return [
    { name: 'name', value: name, comment: scheduler.cluster === undefined ? 'this host' : "the scheduler's own name" },
    { name: 'target', value: scheduler.name, comment: `${scheduler.name} ${scheduler.version ?? ''}`.trim() },
    ...launcherField(scheduler, input.launchers),
    ...(queue === undefined ? [] : queueFields(queue, scheduler.queues)),
    ...field('maxArraySize', scheduler.maxArraySize, "the scheduler's own limit"),
    ...field('networkInterface', input.interface, `seen on ${host}: compute nodes may name theirs otherwise`),
    ...field(
      'nodeCommand',
      input.nodeIsShared ? input.node.path : undefined,
      'the Node.js that has written this: it lies on a network file system',
    ),
  ];
}

function field(name: keyof SiteInput, value: string | number | undefined, comment: string): DraftField[] {
  return value === undefined ? [] : [{ name, value, comment }];
}

/** A valid name of a site made from any text. */
export function siteName(text: string): string {
  const name = text.replace(/[^A-Za-z0-9_.-]+/g, '-').replace(/^[^A-Za-z]+/, '');
  return name === '' ? 'cluster' : name;
}

function queueFields(queue: Queue, queues: readonly Queue[]): DraftField[] {
  const others = queues.filter((one) => one !== queue).map(({ name }) => name);
  const why = queue.isDefault ? 'the default' : 'the first: none is the default';
  const limit = queue.maxWalltime === undefined ? '' : `; jobs may take ${queue.maxWalltime}`;
  const comment = `${why}${limit}${others.length === 0 ? '' : `; others: ${others.join(', ')}`}`;
  return [
    { name: 'defaults', value: { queue: queue.name }, comment },
    ...nodeField(queue),
    ...nodesField(queue),
    ...limitsField(queue, queues),
  ];
}

/** All queues with their limits, and their nodes where these differ from those of the default one; nothing where none has any. */
function limitsField(main: Queue, queues: readonly Queue[]): DraftField[] {
  const usual = JSON.stringify(leastOf(main));
  const limits = queues.map((queue): [string, SiteQueue] => {
    const { name, maxNodes, maxWalltime = '', shapes } = queue;
    const seconds = parseWalltime(maxWalltime);
    const node = leastOf(queue);
    return [
      name,
      {
        ...(maxNodes === undefined ? {} : { maxNodes }),
        ...(seconds === undefined ? {} : { maxWalltime: formatClock(seconds) }),
        ...(shapes.length === 0 || JSON.stringify(node) === usual ? {} : { node }),
      },
    ];
  });
  if (limits.every(([, one]) => Object.keys(one).length === 0)) return [];
  return [{ name: 'queues', value: Object.fromEntries(limits), comment: 'what the scheduler says of them' }];
}

/** Nodes that a job can have at most: the queue's limit, or all that there are. */
function nodesField({ name, shapes, maxNodes = Number.POSITIVE_INFINITY }: Queue): DraftField[] {
  const nodes = shapes.reduce((sum, shape) => sum + shape.nodes, 0);
  if (nodes === 0) return [];
  const isLimit = maxNodes < nodes;
  return field('maxNodes', isLimit ? maxNodes : nodes, `${isLimit ? 'the limit' : 'all nodes'} of ${name}`);
}

/** The least that a node of a queue has: jobs that fit it fit every node. */
function leastOf({ shapes }: Pick<Queue, 'shapes'>) {
  const memory = shapes.flatMap(({ memoryMiB }) => memoryMiB ?? []);
  const gpus = least(shapes, ({ gpus: count }) => count);
  const hasAll = memory.length === shapes.length;
  return {
    cores: least(shapes, ({ cores }) => cores),
    ...threadsOf(shapes),
    ...(gpus > 0 ? { gpus } : {}),
    ...(hasAll && memory.length > 0 ? { memoryMiB: Math.min(...memory) } : {}),
  };
}

/** The node of the default queue. */
function nodeField({ name, shapes }: Queue): DraftField[] {
  if (shapes.length === 0) return [];
  const value = leastOf({ shapes });
  const different = shapes
    .map(({ nodes, cores, gpus: count }) => `${nodes} of ${cores} cores and ${count} GPUs`)
    .join(', ');
  const comment =
    shapes.length === 1
      ? `every node of ${name}`
      : `what every node of ${name} has at least; they differ (${different}): .requires() or a site each for the others`;
  return [{ name: 'node', value, comment }];
}

/** Threads of a core, where all nodes have as many and the scheduler counts them. */
function threadsOf(shapes: readonly NodeShape[]) {
  const [first, ...others] = new Set(shapes.map(({ threadsPerCore }) => threadsPerCore));
  return first === undefined || others.length > 0 ? {} : { threadsPerCore: first, schedulerCounts: 'threads' as const };
}

function least(shapes: readonly NodeShape[], amount: (shape: NodeShape) => number): number {
  return Math.min(...shapes.map(amount));
}

/** The launcher that is there, where it need not be the one that the scheduler's sites have as a rule. */
function launcherField({ name }: SchedulerFacts, facts: LaunchersFacts): DraftField[] {
  const launcher = guessLauncher(targets[name], facts);
  if (launcher === undefined) return [];
  const what = launchers[launcher].mpi?.name ?? launcher;
  return field('launcher', launcher, `${what} is on the PATH; your applications may want another`);
}

/** A launcher of the machine's own comes before those of an MPI; none is named where it is the target's own. */
function guessLauncher(target: Target, { found, mpi }: LaunchersFacts): LauncherName | undefined {
  const own = target.launchers.find((name) => {
    const launcher = launchers[name];
    return launcher.mpi === undefined && launcher.program !== undefined && found[launcher.program] !== undefined;
  });
  if (own !== undefined) return own === target.defaultLauncher ? undefined : own;
  return target.launchers.find((name) => mpi !== undefined && launchers[name].mpi?.name === mpi);
}

/** The draft as plain data. */
export function asSite(fields: readonly DraftField[]): SiteInput {
  return Object.fromEntries(fields.map(({ name, value }) => [name, value])) as unknown as SiteInput;
}
