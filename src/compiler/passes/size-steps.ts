import type { Problems } from '../../diagnostics/index.js';
import type { ApplicationDeclaration, Site } from '../../ir/index.js';

/** What one launch of an application takes; a member's, if it is an ensemble. */
export interface StepSize {
  readonly nodes: number;
  readonly tasks: number;
  readonly cpusPerTask: number;
  readonly tasksPerNode: number;
  readonly gpusPerTask?: number;
  readonly gpusPerNode?: number;
  readonly memoryPerNodeMiB?: number;
  readonly walltimeSeconds?: number;
}

/** Sizes as given, the rest computed from the site's node shape, as far as it is known. */
export function sizeStep(application: ApplicationDeclaration, site: Site, problems: Problems): StepSize {
  const { command } = application;
  const tasks = command.tasks ?? (command.tasksPerNode ?? 1) * (command.nodes ?? 1);
  const cpusPerTask = command.cpusPerTask ?? 1;
  const { cores, gpus } = site.node;
  const nodes =
    command.nodes ??
    (command.tasksPerNode !== undefined
      ? Math.ceil(tasks / command.tasksPerNode)
      : Math.ceil((tasks * cpusPerTask) / Math.max(cores ?? Number.POSITIVE_INFINITY, cpusPerTask)) || 1);
  const tasksPerNode = command.tasksPerNode ?? Math.ceil(tasks / nodes);
  const refuse = (message: string, hint: string) => problems.error('PLAN1001', message, command.at, hint);
  if (tasks < nodes) {
    refuse(`'${application.name}' has ${tasks} tasks for ${nodes} nodes`, 'raise .tasks() or lower .nodes()');
  }
  if (cores !== undefined && tasksPerNode * cpusPerTask > cores) {
    const needs = `${tasksPerNode} tasks of ${cpusPerTask} CPUs on a node`;
    refuse(`'${application.name}' needs ${needs}, and site '${site.name}' has ${cores} cores a node`, 'raise .nodes()');
  }
  const { tasksPerNode: most } = command;
  if (most !== undefined && most * nodes < tasks) {
    const room = `${nodes} ${nodes === 1 ? 'node' : 'nodes'} of ${most} tasks`;
    refuse(
      `'${application.name}' has ${tasks} tasks for ${room}`,
      'leave out one of .tasks(), .nodes(), .tasksPerNode()',
    );
  }
  const { memoryMiB } = site.node;
  if (memoryMiB !== undefined && (command.memoryPerNodeMiB ?? 0) > memoryMiB) {
    const needs = `${command.memoryPerNodeMiB} MiB on a node`;
    refuse(`'${application.name}' needs ${needs}, and site '${site.name}' has ${memoryMiB}`, 'lower .memoryPerNode()');
  }
  const perNode = command.gpusPerNode ?? (command.gpusPerTask ?? 0) * tasksPerNode;
  if (gpus !== undefined && perNode > gpus) {
    refuse(`'${application.name}' needs ${perNode} GPUs a node, and site '${site.name}' has ${gpus}`, 'raise .nodes()');
  }
  return {
    nodes,
    tasks,
    cpusPerTask,
    tasksPerNode,
    ...(command.gpusPerTask === undefined ? {} : { gpusPerTask: command.gpusPerTask }),
    ...(command.gpusPerNode === undefined ? {} : { gpusPerNode: command.gpusPerNode }),
    ...(command.memoryPerNodeMiB === undefined ? {} : { memoryPerNodeMiB: command.memoryPerNodeMiB }),
    ...(command.walltimeSeconds === undefined ? {} : { walltimeSeconds: command.walltimeSeconds }),
  };
}
