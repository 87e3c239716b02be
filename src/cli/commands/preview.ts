import { Command } from 'commander';
import { formatClock, type Plan } from '../../ir/index.js';
import { compileWorkflow, printJson, printWarnings, takesWorkflow, type WorkflowOptions } from '../compile-workflow.js';
import { reportFailure, reportJsonFailure } from '../failure.js';
import { formatTable } from '../table.js';

/** `simwright preview`: what would be submitted. */
export function previewCommand(): Command {
  return takesWorkflow(
    new Command('preview').description('show the jobs, entities and stores of a workflow, and write nothing'),
  ).action(async (workflow: string, options: WorkflowOptions) => {
    try {
      const { plan, warnings } = await compileWorkflow(workflow, options);
      if (options.json) return printJson(preview(plan));
      printWarnings(warnings);
      process.stdout.write(`${describe(plan)}\n`);
    } catch (error) {
      process.exitCode = options.json ? reportJsonFailure(error) : reportFailure(error);
    }
  });
}

/** Jobs with what they cost, entities with their members and files, stores with their models. */
function preview(plan: Plan) {
  return {
    experiment: plan.experiment,
    site: plan.site,
    jobs: plan.jobs.map(({ name, script, allocation, array, after, stores, entities }) => {
      const elements = array?.size ?? 1;
      const { nodes, walltimeSeconds } = allocation;
      const nodeHours = walltimeSeconds === undefined ? undefined : (elements * nodes * walltimeSeconds) / 3600;
      return { name, script, elements, nodes, walltimeSeconds, nodeHours, after, stores, entities };
    }),
    entities: plan.entities.map((entity) => ({
      name: entity.name,
      kind: entity.kind,
      members: entity.members.count,
      parameters: Object.fromEntries(entity.members.axes.map(({ name, values }) => [name, values])),
      files: entity.files.map(({ to }) => to),
      environment: entity.env,
      stores: entity.stores,
      after: entity.after,
      incoming: entity.incoming,
    })),
    stores: plan.stores.map((store) => ({
      name: store.name,
      kind: store.kind,
      identifier: store.suffix,
      mlModels: store.mlModels.map(({ name, backend, device }) => ({ name, backend, device })),
    })),
  };
}

function describe(plan: Plan): string {
  const { jobs, entities, stores } = preview(plan);
  const known = (value: number | undefined, format: (value: number) => string) =>
    value === undefined ? 'site' : format(value);
  const sections = [
    `Experiment ${plan.experiment} on site ${plan.site}`,
    formatTable([
      ['JOB', 'NODES', 'WALLTIME', 'NODE-HOURS', 'ELEMENTS', 'AFTER', 'RUNS'],
      ...jobs.map((job) => [
        job.name,
        String(job.nodes),
        known(job.walltimeSeconds, formatClock),
        known(job.nodeHours, (hours) => hours.toFixed(2)),
        String(job.elements),
        job.after.map(({ job: name, event }) => `${name} ${event}`).join(', ') || '-',
        [...job.stores, ...job.entities].join(', '),
      ]),
    ]),
    formatTable([
      ['ENTITY', 'KIND', 'MEMBERS', 'PARAMETERS', 'FILES', 'STORES', 'AFTER'],
      ...entities.map((entity) => [
        entity.name,
        entity.kind,
        String(entity.members),
        Object.entries(entity.parameters)
          .map(([name, values]) => `${name}=${values.length > 4 ? `${values.length} values` : values.join('|')}`)
          .join(' ') || '-',
        entity.files.length > 4 ? `${entity.files.length} files` : entity.files.join(' ') || '-',
        entity.stores.join(' ') || '-',
        entity.after.map(({ name, event }) => `${name} ${event}`).join(', ') || '-',
      ]),
    ]),
    ...(stores.length === 0
      ? []
      : [
          formatTable([
            ['STORE', 'KIND', 'IDENTIFIER', 'ML MODELS'],
            ...stores.map((store) => [
              store.name,
              store.kind,
              store.identifier || '-',
              store.mlModels.map(({ name, backend, device }) => `${name} (${backend}, ${device})`).join(', ') || '-',
            ]),
          ]),
        ]),
  ];
  return sections.join('\n\n');
}
