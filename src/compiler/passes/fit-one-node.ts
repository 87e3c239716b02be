import type {
  ApplicationDeclaration,
  BatchDeclaration,
  CommandDeclaration,
  ExperimentDeclaration,
} from '../../ir/index.js';

/**
 * The experiment for a target that is one machine: the same tasks, all on it. So a workflow that asks a cluster for nodes runs at home
 * as it is.
 */
export function fitOneNode(experiment: ExperimentDeclaration): ExperimentDeclaration {
  const entities = experiment.entities.map((entity) =>
    entity.kind === 'orchestrator' ? entity : fitApplication(entity),
  );
  return { ...experiment, ...fitBatch(experiment.batch), entities };
}

function fitApplication(application: ApplicationDeclaration): ApplicationDeclaration {
  return { ...application, ...fitBatch(application.batch), command: fitCommand(application.command) };
}

function fitCommand({ nodes, tasksPerNode, tasks, ...command }: CommandDeclaration): CommandDeclaration {
  return { ...command, tasks: tasks ?? (tasksPerNode ?? 1) * (nodes ?? 1) };
}

function fitBatch(batch: BatchDeclaration | undefined): { readonly batch?: BatchDeclaration } {
  if (batch === undefined) return {};
  const { nodes: _nodes, ...rest } = batch;
  return { batch: rest };
}
