import {
  type ApplicationDeclaration,
  type BatchDeclaration,
  byKind,
  type CommandDeclaration,
  type EntityDeclaration,
  type LauncherName,
  orchestratorsOf,
  rayClustersOf,
} from '../../ir/index.js';
import type { Adds, Reads } from './compilation.js';
import { withRayClusters } from './ray-clusters.js';

/**
 * Adapts the experiment to a target that is one machine: all tasks run on it, started by its own launchers, so that a workflow written for a
 * cluster runs at home unchanged. Jobs run one after the other there; so if a store or a Ray cluster has a job of
 * its own, everything goes into one job.
 */
export function fitOneNode(input: Reads<'declaration' | 'site' | 'target'>): Adds<'experiment'> {
  const { target } = input;
  const declaration = withRayClusters(input);
  const { capabilities, launchers } = target;
  if (!capabilities.oneNode) return { experiment: declaration };
  const services = [...orchestratorsOf(declaration), ...rayClustersOf(declaration)];
  const isOneJob = services.some(({ batch }) => batch !== undefined);
  const fit = (entity: EntityDeclaration): EntityDeclaration => {
    const { requires: _requires, batch, ...bare } = entity;
    const rest: EntityDeclaration = isOneJob ? bare : { ...bare, ...fitBatch(batch) };
    return byKind<EntityDeclaration>(rest, {
      orchestrator: ({ hosts: _hosts, nodes, ...store }) =>
        store.shards === undefined && nodes !== undefined ? { ...store, shards: nodes } : store,
      application: (one) => {
        const application: ApplicationDeclaration = { ...one, command: fitCommand(one.command, launchers) };
        if (application.kind === 'ray-cluster') {
          // One node of it, with the CPUs of one.
          return { ...application, command: { ...application.command, tasks: 1 } };
        }
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

/** The command without hosts, bindings and options, which belong to a cluster and its launcher. */
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
