import {
  type ApplicationDeclaration,
  type BatchDeclaration,
  byKind,
  type CommandDeclaration,
  type EntityDeclaration,
  type LauncherName,
  orchestratorsOf,
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
  const isOneJob = orchestratorsOf(declaration).some(({ batch }) => batch !== undefined);
  const fit = (entity: EntityDeclaration): EntityDeclaration => {
    const { requires: _requires, batch, ...bare } = entity;
    const rest: EntityDeclaration = isOneJob ? bare : { ...bare, ...fitBatch(batch) };
    return byKind<EntityDeclaration>(rest, {
      orchestrator: ({ hosts: _hosts, nodes, ...store }) =>
        store.shards === undefined && nodes !== undefined ? { ...store, shards: nodes } : store,
      application: (one) => {
        const application: ApplicationDeclaration = { ...one, command: fitCommand(one.command, launchers) };
        if (application.kind === 'model') return application;
        const added = application.added.map((member) => ({
          ...member,
          command: fitCommand(member.command, launchers),
        }));
        return { ...application, added };
      },
    });
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
