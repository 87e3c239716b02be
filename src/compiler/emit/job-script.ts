import {
  derivedOnce,
  type Entity,
  type Job,
  minimumNode,
  type Plan,
  type SetupDeclaration,
  type Site,
} from '../../ir/index.js';
import { editDirectives } from '../../targets/directives.js';
import { mpiVariables } from '../../targets/outer-job.js';
import { quoteComment, quoteShellWord } from '../../targets/quoting.js';
import { type Directive, launcherOf, type Target } from '../../targets/target.js';
import type { LaunchWords } from './launch-words.js';
import { renderTemplate } from './render-template.js';
import { wrapLine } from './wrap-line.js';

/** An application as scripts show it. */
export interface EmittedStep extends LaunchWords {
  /** Members at a time, where the user limits them. */
  readonly maxConcurrent: number | undefined;
  readonly setup: SetupDeclaration | undefined;
}

/** A store as scripts show it: the words that start it, and what runs before. */
export interface EmittedStore {
  readonly words: readonly string[];
  /** Numbers of the first and the last of its hosts, from 1, where the job has others too. */
  readonly hosts: readonly [first: number, last: number] | undefined;
  readonly setup: SetupDeclaration | undefined;
}

/** What scripts are made from. */
export interface ScriptInput {
  readonly plan: Plan;
  readonly site: Site;
  readonly target: Target;
  /** Applications by name. */
  readonly steps: ReadonlyMap<string, EmittedStep>;
  /** Stores by name. */
  readonly stores: ReadonlyMap<string, EmittedStore>;
}

/** The batch script of one job. */
export function jobScript(job: Job, input: ScriptInput): string {
  const { plan, site, target } = input;
  const variables = jobVariables(job, target);
  return renderTemplate(
    `${target.name}/job.sh.njk`,
    {
      title: quoteComment(`Job ${job.name} of experiment ${plan.experiment}.`),
      maker: makerLine(plan),
      directives: directiveLines(job, input),
      // The module function is a login shell's.
      shellOptions: usesModules(job, input) ? ' -l' : '',
      submitFolder: target.variables.submitFolder,
      outer: wrapLine('unset', outerVariables(job, input)),
      setup: [...job.preamble, ...job.modules.map(loadModule)],
      jobName: quoteShellWord(job.name),
      jobId: variables.find((one) => one.name === 'SIMWRIGHT_JOB_ID')?.value ?? '',
      // Another job may wait for what this one does, or hold a store for it.
      isAwaited: plan.jobs.length > 1,
      awaitsOwn: awaitsOwn(job, plan),
      variables,
      exports: wrapLine(
        'export',
        variables.map(({ name }) => name),
      ),
      node: quoteShellWord(site.nodeCommand),
      minimumNode,
      stores: job.stores.map((name) => upLine(name, input)),
      launches: launchLines(job, input),
    },
    site.blocks,
  );
}

/** True if a launch of the job waits for another one of it. */
function awaitsOwn(job: Job, plan: Plan): boolean {
  const own = new Set(job.entities);
  return job.entities.some((entity) =>
    entitiesByName(plan)
      .get(entity)
      ?.after.some(({ name }) => own.has(name) || own.has(name.replace(/_\d+$/, ''))),
  );
}

/** Names of variables that launchers would read and that come from the job that this one was submitted from. */
function outerVariables(job: Job, input: ScriptInput): readonly string[] {
  const ofLaunchers = input.target.outerVariables?.(directivesOf(job, input).flat()) ?? mpiVariables;
  const isIndexed = job.array !== undefined || job.separate !== undefined;
  return [...(isIndexed ? [] : ['SIMWRIGHT_ARRAY_INDEX']), ...ofLaunchers];
}

function directivesOf(job: Job, { site, target }: ScriptInput): readonly (readonly Directive[])[] {
  return editDirectives(
    target,
    target.directives(job, launcherOf(target, site), site),
    site.directives,
    job.directives,
  );
}

/** Directives as lines; where the scheduler needs it, a separator stands between those of a heterogeneous job's components. */
function directiveLines(job: Job, input: ScriptInput): string[] {
  const { target } = input;
  return directivesOf(job, input).flatMap((list, index) => [
    ...(index > 0 && target.componentSeparator !== undefined ? [target.componentSeparator] : []),
    ...list.map((one) => `${target.sentinel} ${target.formatDirective(one)}`),
  ]);
}

function usesModules(job: Job, { steps, stores }: ScriptInput): boolean {
  const setups = [...job.entities.map((name) => steps.get(name)), ...job.stores.map((name) => stores.get(name))];
  return job.modules.length > 0 || setups.some((one) => (one?.setup?.modules.length ?? 0) > 0);
}

function loadModule(name: string): string {
  return `module load ${quoteShellWord(name)}`;
}

/** What the script tells the runtime, in its environment; values are words of shell. */
function jobVariables({ name, array, separate, allocation, components }: Job, { variables }: Target) {
  const { jobId, elementId = jobId, hosts, componentHosts = hosts, arrayIndex } = variables;
  const { cpusPerNode, cpusPerWholeNode = cpusPerNode } = variables;
  // submit.sh gives the index to each of the jobs of one script.
  const index = separate === undefined ? arrayIndex : `"\${SIMWRIGHT_ARRAY_INDEX:?}"`;
  return [
    { name: 'SIMWRIGHT_JOB', value: quoteShellWord(name) },
    { name: 'SIMWRIGHT_JOB_ID', value: array === undefined ? jobId : elementId },
    { name: 'SIMWRIGHT_HOSTS', value: components.length === 0 ? hosts : componentHosts },
    {
      name: 'SIMWRIGHT_CPUS_PER_NODE',
      value: allocation.cpusPerNode === undefined ? cpusPerWholeNode : cpusPerNode,
    },
    ...(array === undefined && separate === undefined ? [] : [{ name: 'SIMWRIGHT_ARRAY_INDEX', value: index }]),
    { name: 'SIMWRIGHT_STARTED', value: '$(date +%s)' },
    { name: 'SIMWRIGHT_SCRIPT_PID', value: '$$' },
  ];
}

/** Says what made a file; no time and no user, so that the same input gives the same bytes. */
export function makerLine(plan: Plan): string {
  return quoteComment(`Made by simwright ${plan.simwright} from ${plan.workflow} for site ${plan.site}.`);
}

/** `runtime up NAME -- LAUNCH…`; without words the store starts on the script's own host. */
function upLine(name: string, { stores }: ScriptInput): string {
  const { words = [], setup, hosts } = stores.get(name) ?? {};
  const chosen =
    hosts === undefined ? allHosts : `"$(cut -d ' ' -f ${hosts.join('-')} <<<"$SIMWRIGHT_HOSTS" | tr ' ' ,)"`;
  const quoted = words.map((word) => (word === '{hosts}' ? chosen : quoteShellWord(word)));
  const head = `runtime up ${quoteShellWord(name)}`;
  const line = words.length === 0 ? head : wrapLine(`${head} --`, quoted);
  return setup === undefined ? line : `(\n${setupLines(setup)}${indent(line)}\n)`;
}

/** A store on all of a job's nodes, as launchers take hosts. */
const allHosts = `"\${SIMWRIGHT_HOSTS// /,}"`;

const entitiesByName = derivedOnce(
  ({ entities }: Plan): ReadonlyMap<string, Entity> => new Map(entities.map((entity) => [entity.name, entity])),
);

function launchLines(job: Job, { plan, steps }: ScriptInput): string[] {
  const lines = job.entities.flatMap((name) => {
    const step = steps.get(name);
    const entity = entitiesByName(plan).get(name);
    return step === undefined || entity === undefined ? [] : entityLines(entity, job, step);
  });
  // A job of a store alone lasts as long as those that use it.
  const holds =
    job.entities.length > 0 ? [] : job.stores.map((name) => background(`runtime hold ${quoteShellWord(name)}`));
  return [...lines, ...holds];
}

function entityLines(entity: Entity, job: Job, step: EmittedStep): string[] {
  const isSplit = job.array !== undefined || job.separate !== undefined;
  const others = step.lines.slice(1);
  if (others.length > 0) return isSplit ? [ownElements(entity, job, step)] : allMembers(entity, step);
  const limits = [step.maxConcurrent, step.atMost].filter((one) => one !== undefined);
  const atMost = limits.length === 0 ? [] : ['--at-most', String(Math.min(...limits))];
  if (entity.kind === 'model') return [launchLine(entity, [], 0, step)];
  if (!isSplit) return [launchLine(entity, atMost, 0, step)];
  // An element of an array may have several members.
  const isPacked = (job.array?.perElement ?? 1) > 1;
  const index = '"$SIMWRIGHT_ARRAY_INDEX"';
  const options = isPacked
    ? ['--element', index, ...(step.atMost === undefined ? [] : ['--at-most', String(step.atMost)])]
    : ['--member', index];
  return [launchLine(entity, options, 0, step)];
}

/** Members added by hand, each with its own line. */
function allMembers(entity: Entity, step: EmittedStep): string[] {
  return Array.from({ length: entity.members.count }, (_, index) => memberLine(entity, index, step));
}

function memberLine(entity: Entity, index: number, step: EmittedStep): string {
  return launchLine(entity, ['--member', String(index)], Math.floor(index / entity.members.replicas), step);
}

/** The lines of one element's members. */
function ownElements(entity: Entity, job: Job, step: EmittedStep): string {
  const { count } = entity.members;
  const { size, perElement } = job.array ?? { size: count, perElement: 1 };
  const cases = Array.from({ length: size }, (_, element) => {
    const first = element * perElement;
    const indices = Array.from({ length: Math.min(perElement, count - first) }, (_, one) => first + one);
    const lines = indices.map((index) => memberLine(entity, index, step)).join('\n');
    return indent(`${element})\n${indent(lines)}\n  ;;`);
  });
  return ['case $SIMWRIGHT_ARRAY_INDEX in', ...cases, 'esac'].join('\n');
}

function launchLine(
  entity: Entity,
  options: readonly string[],
  line: number,
  { setup, lines, breaks }: EmittedStep,
): string {
  const name = quoteShellWord(entity.name);
  const quoted = (lines[line] ?? []).map(quoteShellWord);
  const parts = breaks[line];
  const head = ['runtime launch', name, ...options, '--'].join(' ');
  if (setup === undefined) return wrapLine(head, [...quoted.slice(0, -1), background(quoted.at(-1) ?? '')], parts);
  const member = options[0] === '--at-most' ? [] : options.slice(0, 2);
  const trap = `# If a line fails before the launch, those that wait for it are told.\ntrap '${['runtime skip', name, ...member].join(' ')} -- "its setup failed"' EXIT\n`;
  return `(\n${indent(trap)}${setupLines(setup)}${indent(wrapLine(head, quoted, parts))}\n${background(')')}`;
}

function background(command: string): string {
  return `${command} & launched+=($!)`;
}

/** Modules and lines of shell, which may read variables that are not set. */
function setupLines({ modules, commands }: SetupDeclaration): string {
  return ['  set +u', ...modules.map((name) => `  ${loadModule(name)}`), ...commands.map(indent), '  set -u', ''].join(
    '\n',
  );
}

/** Two columns to the right; text of several lines may be a here-document, whose lines stay as they are. */
function indent(text: string): string {
  return text.includes('<<') ? text : text.replace(/^(?=.)/gm, '  ');
}
