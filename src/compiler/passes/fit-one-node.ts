import type {
  ApplicationDeclaration,
  BatchDeclaration,
  CommandDeclaration,
  EntityDeclaration,
  LauncherName,
} from '../../ir/index.js';
import type { Adds, Reads } from './known.js';

/**
 * The experiment as the target can run it. For one machine: the same tasks, all on it, started by its own launchers, so that a workflow that
 * asks a cluster for nodes runs at home as it is. Jobs run one after the other there, so a store that has a job of its own, and all that use
 * it, go into one.
 */
export function fitOneNode({ declaration, target }: Reads<'declaration' | 'target'>): Adds<'experiment'> {
  const { capabilities, launchers } = target;
  if (!capabilities.oneNode) return { experiment: declaration };
  const isOneJob = declaration.entities.some(({ kind, batch }) => kind === 'orchestrator' && batch !== undefined);
  const fit = (entity: EntityDeclaration): EntityDeclaration => {
    const { requires: _requires, batch, ...bare } = entity;
    const rest = isOneJob ? bare : { ...bare, ...fitBatch(batch) };
    if (rest.kind === 'orchestrator') {
      const { hosts: _hosts, nodes, ...store } = rest;
      return store.shards === undefined && nodes !== undefined ? { ...store, shards: nodes } : store;
    }
    const application: ApplicationDeclaration = { ...rest, command: fitCommand(rest.command, launchers) };
    if (application.kind === 'model') return application;
    const added = application.added.map((one) => ({ ...one, command: fitCommand(one.command, launchers) }));
    return { ...application, added };
  };
  return { experiment: { ...declaration, ...fitBatch(declaration.batch), entities: declaration.entities.map(fit) } };
}

/** Hosts, bindings and options are those of a cluster and its launcher. */
function fitCommand(command: CommandDeclaration, launchers: readonly LauncherName[]): CommandDeclaration {
  const { nodes, tasksPerNode, tasks, hosts, excludeHosts, cpuBind, launcher, launcherArgs, mpmd, ...rest } = command;
  const keepsLauncher = launcher !== undefined && launchers.includes(launcher);
  return {
    ...rest,
    tasks: tasks ?? (tasksPerNode ?? 1) * (nodes ?? 1),
    ...(keepsLauncher ? { launcher, ...(launcherArgs === undefined ? {} : { launcherArgs }) } : {}),
    ...(mpmd === undefined ? {} : { mpmd: mpmd.map((one) => fitCommand(one, launchers)) }),
  };
}

function fitBatch(batch: BatchDeclaration | undefined): { readonly batch?: BatchDeclaration } {
  if (batch === undefined) return {};
  const { nodes: _nodes, ...rest } = batch;
  return { batch: rest };
}
