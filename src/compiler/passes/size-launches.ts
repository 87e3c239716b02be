import { counted, type Problems } from '../../diagnostics/index.js';
import {
  type ApplicationDeclaration,
  addedOf,
  applicationsOf,
  type CommandDeclaration,
  defined,
  type Site,
} from '../../ir/index.js';
import { launcherOf } from '../../targets/target.js';
import type { Adds, Reads, Sized, SizedLaunch, SizedProgram, StepSize } from './compilation.js';
import { expandAxes } from './expand-axes.js';
import { siteOf } from './lookup/queue-of.js';

/** Nodes of the programs of one launch: all share the one there is, each has its own, or all are spread over all of them. */
type Spread = 'one-node' | 'own-nodes' | 'all-nodes';

/** Computes the resources of every application's launches, and expands its members. */
export function sizeLaunches(
  { experiment, site, target, launchers }: Reads<'experiment' | 'site' | 'target' | 'launchers'>,
  problems: Problems,
): Adds<'sized'> {
  const { oneNode } = target.capabilities;
  const launcherOfSite = launcherOf(target, site);
  const spreadOver = ({ launcher = launcherOfSite }: CommandDeclaration): Spread => {
    if (oneNode) return 'one-node';
    return launchers[launcher].spreadsPrograms === true ? 'all-nodes' : 'own-nodes';
  };
  const sized = applicationsOf(experiment).map((application): [ApplicationDeclaration, Sized] => {
    const launches = launchesOf(application, siteOf(experiment, application, site), spreadOver, problems);
    const ownsNodes = launches.every(
      ({ programs }) => !oneNode && !launchers[programs[0].command.launcher ?? launcherOfSite].sharesNodes,
    );
    const startsHere = launches.every(
      ({ programs }) => launchers[programs[0].command.launcher ?? launcherOfSite].program === undefined,
    );
    const members = expandAxes(application, problems);
    return [application, { size: largest(launches), launches, members, ownsNodes, startsHere }];
  });
  return { sized: new Map(sized) };
}

/** The launches of an application: a single one, or one for each member added by hand. */
function launchesOf(
  application: ApplicationDeclaration,
  site: Site,
  spreadOver: (command: CommandDeclaration) => Spread,
  problems: Problems,
): readonly [SizedLaunch, ...SizedLaunch[]] {
  const { name, command } = application;
  const [first, ...added] = addedOf(application);
  if (first === undefined) return [sizeLaunch(name, command, site, spreadOver(command), problems)];
  return [
    sizeLaunch(first.name, first.command, site, spreadOver(first.command), problems),
    ...added.map((one) => sizeLaunch(one.name, one.command, site, spreadOver(one.command), problems)),
  ];
}

function sizeLaunch(
  name: string,
  command: CommandDeclaration,
  site: Site,
  spread: Spread,
  problems: Problems,
): SizedLaunch {
  const sized = (one: CommandDeclaration): SizedProgram => ({
    command: one,
    size: sizeStep(name, one, site, problems),
  });
  const first = sized(command);
  const further = (command.mpmd ?? []).map(sized);
  if (further.length === 0) return { programs: [first], size: first.size };
  const programs = [first, ...further] as const;
  const sizes = programs.map(({ size }) => size);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const most = (values: readonly number[]) => Math.max(...values);
  const tasks = sum(sizes.map((size) => size.tasks));
  const cpus = sum(sizes.map((size) => size.tasks * size.cpusPerTask));
  const nodes = {
    'one-node': 1,
    'own-nodes': sum(sizes.map((size) => size.nodes)),
    'all-nodes': nodesForAll(sizes, site.node.cores),
  }[spread];
  const isApart = spread === 'own-nodes';
  const together = isApart ? most : sum;
  const tasksOnNode = (size: StepSize) => (isApart ? size.tasksPerNode : Math.ceil(size.tasks / nodes));
  const gpus = together(sizes.map((size) => size.gpusPerNode ?? (size.gpusPerTask ?? 0) * tasksOnNode(size)));
  const memory = together(sizes.map((size) => size.memoryPerNodeMiB ?? 0));
  const tasksPerNode = together(sizes.map(tasksOnNode));
  // On no node do the programs take more CPUs than the launch says.
  const cpusOnNode = together(sizes.map((size) => tasksOnNode(size) * size.cpusPerTask));
  return {
    programs: [first, ...further],
    size: {
      nodes,
      tasks,
      cpusPerTask: Math.ceil(Math.max(cpus / tasks, cpusOnNode / tasksPerNode)),
      tasksPerNode,
      ...(gpus > 0 ? { gpusPerNode: gpus } : {}),
      ...(memory > 0 ? { memoryPerNodeMiB: memory } : {}),
      // Only the launch as a whole can have one.
      ...defined({ walltimeSeconds: command.walltimeSeconds }),
    },
  };
}

/** The fewest nodes that hold their part of every program: as many as the widest one has, or more where cores are few. */
function nodesForAll(sizes: readonly StepSize[], cores = Number.POSITIVE_INFINITY): number {
  const most = sizes.reduce((total, size) => total + size.tasks, 0);
  let nodes = Math.max(...sizes.map((size) => size.nodes));
  const cpus = () => sizes.reduce((sum, size) => sum + Math.ceil(size.tasks / nodes) * size.cpusPerTask, 0);
  while (nodes < most && cpus() > cores) nodes++;
  return nodes;
}

/** The largest amount of each resource that one of the launches takes. */
function largest(launches: readonly [SizedLaunch, ...SizedLaunch[]]): StepSize {
  const sizes = launches.map(({ size }) => size);
  if (sizes.length === 1) return launches[0].size;
  const most = (value: (size: StepSize) => number | undefined): number =>
    Math.max(...sizes.map((size) => value(size) ?? 0));
  const gpusPerNode = most((size) => size.gpusPerNode ?? (size.gpusPerTask ?? 0) * size.tasksPerNode);
  const memoryPerNodeMiB = most((size) => size.memoryPerNodeMiB);
  const hasWalltime = sizes.every(({ walltimeSeconds }) => walltimeSeconds !== undefined);
  return {
    nodes: most(({ nodes }) => nodes),
    tasks: most(({ tasks }) => tasks),
    cpusPerTask: most(({ cpusPerTask }) => cpusPerTask),
    tasksPerNode: most(({ tasksPerNode }) => tasksPerNode),
    ...(gpusPerNode > 0 ? { gpusPerNode } : {}),
    ...(memoryPerNodeMiB > 0 ? { memoryPerNodeMiB } : {}),
    ...(hasWalltime ? { walltimeSeconds: most(({ walltimeSeconds }) => walltimeSeconds) } : {}),
  };
}

/** The resources of a program: as the user gave them, or computed from the shape of the site's nodes, if it is known. */
function sizeStep(name: string, command: CommandDeclaration, site: Site, problems: Problems): StepSize {
  const { cpusPerTask = 1, gpusPerTask, gpusPerNode, memoryPerNodeMiB, walltimeSeconds, hosts } = command;
  const { cores, gpus } = site.node;
  const spread = command.nodes ?? (command.tasksPerNode === undefined ? 1 : (hosts?.length ?? 1));
  const tasks = command.tasks ?? (command.tasksPerNode ?? 1) * spread;
  const fitting = command.tasksPerNode ?? tasksOnNode(cpusPerTask, gpusPerTask, site);
  const nodes = command.nodes ?? Math.max(Math.ceil(tasks / fitting) || 1, Math.min(hosts?.length ?? 1, tasks));
  const tasksPerNode = command.tasksPerNode ?? Math.ceil(tasks / nodes);
  const refuse = (message: string, hint: string) => problems.error('PLAN1001', message, command.at, hint);
  if (tasks < nodes) {
    refuse(`'${name}' has ${tasks} tasks for ${nodes} nodes`, 'raise .tasks() or lower .nodes()');
  }
  if (cores !== undefined && tasksPerNode * cpusPerTask > cores) {
    const needs = `${tasksPerNode} tasks of ${cpusPerTask} CPUs on a node`;
    refuse(
      `'${name}' needs ${needs}, and site '${site.name}' has ${cores} cores a node`,
      hintFor(site, 'cores', tasksPerNode * cpusPerTask),
    );
  }
  const { tasksPerNode: most } = command;
  if (most !== undefined && most * nodes < tasks) {
    const room = `${nodes} ${nodes === 1 ? 'node' : 'nodes'} of ${most} tasks`;
    refuse(`'${name}' has ${tasks} tasks for ${room}`, 'leave out one of .tasks(), .nodes(), .tasksPerNode()');
  }
  const { memoryMiB } = site.node;
  if (memoryMiB !== undefined && (memoryPerNodeMiB ?? 0) > memoryMiB) {
    const needs = `${memoryPerNodeMiB} MiB on a node`;
    refuse(`'${name}' needs ${needs}, and site '${site.name}' has ${memoryMiB}`, 'lower .memoryPerNode()');
  }
  const perNode = gpusPerNode ?? (gpusPerTask ?? 0) * tasksPerNode;
  if (gpus !== undefined && perNode > gpus) {
    refuse(
      `'${name}' needs ${perNode} GPUs a node, and site '${site.name}' has ${gpus}`,
      hintFor(site, 'gpus', perNode),
    );
  }
  const idle = hosts?.slice(nodes) ?? [];
  if (idle.length > 0) {
    const left = `${counted(tasks, 'task')} on ${counted(nodes, 'node')} leave ${idle.join(', ')} idle`;
    const message = `.hosts() of '${name}' names ${hosts?.length} hosts, and its ${left}`;
    problems.warning('PLAN1010', message, command.at, 'raise .tasks() or .nodes(), or name fewer hosts');
  }
  return {
    nodes,
    tasks,
    cpusPerTask,
    tasksPerNode,
    ...defined({ gpusPerTask, gpusPerNode, memoryPerNodeMiB, walltimeSeconds }),
  };
}

/** Remedies for nodes that have less than a launch needs on each: more of them, or those of a queue whose nodes have as much. */
function hintFor({ node, queues }: Site, resource: 'cores' | 'gpus', needed: number): string {
  const large = Object.entries(queues).filter(([, queue]) => (queue.node?.[resource] ?? 0) >= needed);
  const remedies = [
    ...(node[resource] === 0 ? [] : ['raise .nodes()']),
    ...(large.length === 0 ? [] : [`name a queue whose nodes have as many: ${large.map(([name]) => name).join(', ')}`]),
  ];
  return remedies.length === 0 ? 'choose a queue or a site whose nodes have some' : remedies.join(', or ');
}

/** The most tasks that one of the site's nodes holds, at least 1; infinite where the site does not say what it has. */
function tasksOnNode(cpusPerTask: number, gpusPerTask: number | undefined, { node: { cores, gpus } }: Site): number {
  const byCpus = cores === undefined ? Number.POSITIVE_INFINITY : Math.floor(cores / cpusPerTask);
  const hasGpus = gpus !== undefined && gpus > 0 && gpusPerTask !== undefined;
  const byGpus = hasGpus ? Math.floor(gpus / gpusPerTask) : Number.POSITIVE_INFINITY;
  return Math.max(1, Math.min(byCpus, byGpus));
}
