import { Command } from 'commander';
import { escapeControls, WorkflowError } from '../../diagnostics/index.js';
import {
  costOf,
  type EnvValue,
  formatClock,
  formatValue,
  type Job,
  type Members,
  type ParamValue,
  type Plan,
  type Store,
  timesOf,
} from '../../ir/index.js';
import { modelFormats } from '../../model-files/index.js';
import { budgetOption, chargedHoursOf, keepBudget } from '../budget.js';
import { compileWorkflow, printJson, printWarnings, takesWorkflow, type WorkflowOptions } from '../compile-workflow.js';
import { type PlacementOptions, showPlacement } from '../placement/show.js';
import { reported } from '../reported.js';
import { formatTable } from '../table.js';

interface PreviewOptions extends WorkflowOptions, PlacementOptions {
  readonly placement?: boolean;
  readonly budget?: number;
}

/** `simwright preview`: what would be submitted. */
export function previewCommand(): Command {
  return takesWorkflow(new Command('preview'))
    .addOption(budgetOption())
    .option('--placement', "show each job's nodes, and who runs on them with how many CPUs and GPUs")
    .option('--svg <file>', 'with --placement: write the picture into a file as well')
    .action(
      reported(async (workflow: string, options: PreviewOptions) => {
        const { plan, warnings, notes } = await compileWorkflow(workflow, options);
        if (options.json) keepBudget(plan, options.budget);
        if (options.svg !== undefined && options.placement !== true) {
          const message = '--svg is the picture of --placement, which is not asked for';
          throw new WorkflowError({ code: 'CLI1001', message, hint: 'add --placement' });
        }
        if (options.placement) {
          showPlacement(plan, warnings, options);
          return keepBudget(plan, options.budget);
        }
        if (options.json) return printJson({ ok: true, ...preview(plan), notes, problems: warnings });
        printWarnings(warnings);
        const shown = notes.length === 0 ? '' : `\n${notes.map((note) => `note: ${note}\n`).join('')}`;
        process.stdout.write(`${describe(plan)}\n${shown}`);
        keepBudget(plan, options.budget);
      }),
    );
}

/** Jobs with what they cost, entities with their members and files, stores with their models. */
function preview(plan: Plan) {
  const jobs = plan.jobs.map(previewJob);
  const hours = jobs.map(({ nodeHours }) => nodeHours);
  const charged = chargedHoursOf(plan.jobs);
  return {
    experiment: plan.experiment,
    site: plan.site,
    /** Undefined when one of the jobs has no walltime. */
    nodeHours: hours.every((one) => one !== undefined) ? hours.reduce((sum, one) => sum + one, 0) : undefined,
    /** Node-hours that the site charges. */
    chargedHours: charged,
    jobs,
    entities: plan.entities.map((entity) => ({
      name: entity.name,
      kind: entity.kind,
      job: entity.job,
      members: entity.members.count,
      replicas: entity.members.replicas,
      strategy: entity.members.strategy,
      parameters: parametersOf(entity.members),
      files: entity.files.map(({ to }) => to),
      environment: entity.env,
      stores: entity.stores,
      after: entity.after,
      incoming: entity.incoming,
    })),
    stores: plan.stores.map((store) => ({
      name: store.name,
      kind: store.kind,
      engine: store.engine,
      identifier: store.suffix,
      shards: store.kind === 'standalone' ? store.shards : 1,
      replicas: store.kind === 'standalone' ? (store.replicas ?? 0) : 0,
      saved: savingOf(store),
      mlModels: store.mlModels.map(({ name, backend, device, header }) => ({ name, backend, device, ...header })),
      scripts: store.scripts.map(({ name, device }) => ({ name, device })),
    })),
  };
}

function previewJob(job: Job) {
  const { name, script, allocation, components, array, after, stores, entities } = job;
  const cost = costOf(job);
  const { walltimeSeconds } = allocation;
  const nodes = [allocation, ...components].reduce((sum, one) => sum + one.nodes, 0);
  return {
    name,
    script,
    /** Number of times that the scheduler runs it: elements of an array, or members with a job each. */
    times: timesOf(job),
    membersPerElement: array?.perElement,
    nodes,
    components: [allocation, ...components].map((one) => one.nodes),
    walltimeSeconds,
    /** Queue of each component, by its name, else by its quality of service. */
    queues: [allocation, ...components].map(({ queue, qos }) => queue ?? qos),
    nodeHours: cost?.nodeHours,
    chargedHours: cost?.chargedHours,
    after,
    stores,
    entities,
  };
}

/** Values of each parameter, in the order of first appearance. */
function parametersOf(members: Members): Record<string, readonly ParamValue[]> {
  if (members.strategy !== 'explicit') {
    return Object.fromEntries(members.axes.map(({ name, values }) => [name, values]));
  }
  const values = new Map<string, Set<ParamValue>>();
  for (const assignment of members.assignments) {
    for (const [name, value] of Object.entries(assignment)) {
      const known = values.get(name);
      if (known === undefined) values.set(name, new Set([value]));
      else known.add(value);
    }
  }
  return Object.fromEntries([...values].map(([name, set]) => [name, [...set]]));
}

/** Times at which a store saves its keys: `every` so many seconds, and at the end of its job `always`, `needed` or `never`. */
function savingOf({ checkpointSeconds }: Store): { everySeconds?: number; atEnd: 'always' | 'needed' | 'never' } {
  if (checkpointSeconds === undefined) return { atEnd: 'needed' };
  return checkpointSeconds === 0 ? { atEnd: 'never' } : { everySeconds: checkpointSeconds, atEnd: 'always' };
}

function describeSaving({ everySeconds, atEnd }: ReturnType<typeof savingOf>): string {
  if (everySeconds !== undefined) return `every ${everySeconds} s and at the end`;
  return atEnd === 'never' ? 'never' : 'at the end, while it is needed';
}

type Preview = ReturnType<typeof preview>;

function describe(plan: Plan): string {
  const { jobs, entities, stores, nodeHours, chargedHours } = preview(plan);
  const charges = plan.jobs.some((job) =>
    [job.allocation, ...job.components].some((one) => one.chargeFactor !== undefined),
  );
  const charged = charges && chargedHours !== undefined ? `, charged as ${chargedHours.toFixed(2)}` : '';
  const total = nodeHours === undefined ? '' : `: at most ${nodeHours.toFixed(2)} node-hours${charged}`;
  const ifCharged = (text: string) => (charges ? [text] : []);
  return [
    `Experiment ${plan.experiment} on site ${plan.site}${total}`,
    formatTable([
      [
        'JOB',
        ...ifCharged('QUEUE'),
        'NODES',
        'WALLTIME',
        'NODE-HOURS',
        ...ifCharged('CHARGED'),
        'TIMES',
        'AFTER',
        'RUNS',
      ],
      ...jobs.map((job) => [
        job.name,
        ...ifCharged(job.queues.map((one) => one ?? 'site').join('+')),
        job.components.join('+'),
        known(job.walltimeSeconds, formatClock),
        known(job.nodeHours, (hours) => hours.toFixed(2)),
        ...ifCharged(known(job.chargedHours, (hours) => hours.toFixed(2))),
        job.membersPerElement === undefined || job.membersPerElement === 1
          ? String(job.times)
          : `${job.times} of ${job.membersPerElement} members`,
        orDash(job.after.map(({ job: name, event }) => `${name} ${event}`).join(', ')),
        // A colocated store has its entity's name.
        [...new Set([...job.stores, ...job.entities])].join(', '),
      ]),
    ]),
    formatTable([
      ['ENTITY', 'KIND', 'MEMBERS', 'PARAMETERS', 'FILES', 'ENVIRONMENT', 'STORES', 'AFTER'],
      ...entities.map((entity) => [
        entity.name,
        entity.kind,
        entity.replicas > 1 && entity.members > entity.replicas
          ? `${entity.members / entity.replicas} × ${entity.replicas}`
          : String(entity.members),
        orDash(Object.entries(entity.parameters).map(describeParameter).join(' ')),
        orDash(shortList(entity.files, 'files')),
        orDash(shortList(Object.entries(entity.environment).map(describeVariable), 'variables')),
        orDash(entity.stores.join(' ')),
        orDash(entity.after.map(describeAfter).join(', ')),
      ]),
    ]),
    ...(stores.length === 0 ? [] : [describeStores(stores)]),
    ...(stores.some(({ mlModels }) => mlModels.length > 0) ? [describeModels(stores)] : []),
  ].join('\n\n');
}

function describeStores(stores: Preview['stores']): string {
  return formatTable([
    ['STORE', 'KIND', 'ENGINE', 'IDENTIFIER', 'SAVED', 'ML MODELS'],
    ...stores.map((store) => [
      store.name,
      store.shards > 1
        ? `${store.kind}, ${store.shards} shards${store.replicas === 0 ? '' : ', each with a replica'}`
        : store.kind,
      store.engine,
      orDash(store.identifier),
      describeSaving(store.saved),
      orDash(
        [
          ...store.mlModels.map(({ name, backend, device }) => `${name} (${backend}, ${device})`),
          ...store.scripts.map(({ name, device }) => `${name} (TorchScript, ${device})`),
        ].join(', '),
      ),
    ]),
  ]);
}

/** Inputs and outputs of each ML model: those of a model that several stores load once. */
function describeModels(stores: Preview['stores']): string {
  const rows = new Map<string, readonly string[]>();
  for (const { mlModels } of stores) {
    for (const { name, format, inputs, outputs } of mlModels) {
      const row = [
        name,
        format === undefined ? '?' : modelFormats[format].label,
        describeTensors(inputs),
        describeTensors(outputs),
      ];
      rows.set(JSON.stringify(row), row);
    }
  }
  return formatTable([['ML MODEL', 'FORMAT', 'INPUTS', 'OUTPUTS'], ...rows.values()]);
}

type Tensors = Preview['stores'][number]['mlModels'][number]['inputs'];

function describeTensors(tensors: Tensors): string {
  if (tensors === undefined) return '?';
  if (tensors.length > mostNamed) return `${tensors.length} tensors`;
  return orDash(tensors.map(describeTensor).join(', '));
}

/** `x FLOAT [n, 4]`, with `?` for a size that may vary and has no name. */
function describeTensor({ name, dtype, shape, example, other }: NonNullable<Tensors>[number]): string {
  if (example !== undefined) return `${describeTensor({ name, ...example })} (traced)`;
  const sizes = shape?.map((size) => (typeof size === 'string' ? shorten(size) : String(size ?? '?'))).join(', ');
  const parts = [name && shorten(name), dtype ?? (other && shorten(other)), sizes === undefined ? '' : `[${sizes}]`];
  return parts.filter((part) => part !== undefined && part !== '').join(' ') || 'tensor';
}

/** Most files and variables of one entity that are named. */
const mostNamed = 4;

function shortList(items: readonly string[], noun: string): string {
  return items.length > mostNamed ? `${items.length} ${noun}` : items.join(' ');
}

/** A value that keeps a table a table: no line breaks, and not too long. */
function shorten(text: string): string {
  const shown = escapeControls(text);
  return shown.length > 24 ? `${shown.slice(0, 23)}…` : shown;
}

function describeVariable([name, value]: [string, EnvValue]): string {
  return typeof value === 'string' ? `${name}=${shorten(value)}` : `${name}=$${value.fromEnvironment}`;
}

function describeParameter([name, values]: [string, readonly ParamValue[]]): string {
  if (values.length > 4) return `${name}=${values.length} values`;
  return `${name}=${values.map((value) => shorten(formatValue(value))).join('|')}`;
}

function describeAfter(after: Preview['entities'][number]['after'][number]): string {
  return 'key' in after ? `${after.name} key ${after.key}` : `${after.name} ${after.event}`;
}

function known(value: number | undefined, format: (value: number) => string): string {
  return value === undefined ? 'site' : format(value);
}

function orDash(text: string): string {
  return text === '' ? '-' : text;
}
