import type { Problems, SourceLocation } from '../../diagnostics/index.js';
import type {
  ApplicationDeclaration,
  ExperimentDeclaration,
  LauncherName,
  OrchestratorDeclaration,
  Site,
} from '../../ir/index.js';
import { launchers, namesHosts } from '../../targets/launchers/index.js';
import {
  isNotSupported,
  type LaunchLine,
  type LaunchProgram,
  type LaunchStep,
  launcherOf,
  type Target,
} from '../../targets/target.js';
import {
  colocatedGpus,
  membersOnOwnNodes,
  type PlacedComponent,
  type PlacedJob,
  programWords,
  type Sized,
  type SizedLaunch,
  shardsOf,
  standaloneGpus,
  visibleStores,
} from '../passes/index.js';

/** What launch lines are made from. */
export interface LaunchInput {
  readonly experiment: ExperimentDeclaration;
  readonly sized: ReadonlyMap<ApplicationDeclaration, Sized>;
  readonly jobs: readonly PlacedJob[];
  readonly site: Site;
  readonly target: Target;
}

/** An application's launches as scripts show them: one, or one for each member added by hand. */
export interface LaunchWords {
  readonly lines: readonly (readonly string[])[];
  /** Of each line, the words that a program starts with: where a long line is parted. */
  readonly breaks: readonly (readonly number[])[];
  /** Members at a time that the launcher can start on the nodes there are, where it does not share nodes. */
  readonly atMost?: number;
  /** Files that the launcher reads in the entity's directory, by name. */
  readonly files: Readonly<Record<string, string>>;
}

/** The words in front of a store. */
export interface StoreWords {
  readonly words: readonly string[];
  /** Numbers of the first and the last host of its component, from 1, in a heterogeneous job. */
  readonly hosts: readonly [first: number, last: number] | undefined;
}

/** Launch lines of every application, and the words in front of every store, by name. What a launcher cannot do is a problem. */
export function launchWords(input: LaunchInput, problems: Problems) {
  const applications = new Map<string, LaunchWords>();
  const stores = new Map<string, StoreWords>();
  for (const job of input.jobs) {
    job.components.forEach((component, index) => {
      const place = { job, component, index: job.components.length > 1 ? index : undefined };
      for (const application of component.applications) {
        applications.set(application.name, applicationWords(application, place, input, problems));
        if (application.colocated !== undefined) {
          const gpus = colocatedGpus(input.experiment, application);
          const { cpus = 1, at } = application.colocated;
          const { nodes } = component.allocation;
          const size = { name: application.name, at, nodes, tasks: nodes, cpus, gpus, hosts: undefined };
          stores.set(application.name, { words: storeWords(size, place, input, problems), hosts: hostsOf(place) });
        }
      }
      for (const store of component.orchestrators) {
        const words = storeWords(standaloneSize(store, input), place, input, problems);
        stores.set(store.name, { words, hosts: hostsOf(place) });
      }
    });
  }
  return { applications, stores };
}

/** Where something runs. */
interface Place {
  readonly job: PlacedJob;
  readonly component: PlacedComponent;
  /** Undefined in a job of one component. */
  readonly index: number | undefined;
}

function hostsOf({ job, component, index }: Place): StoreWords['hosts'] {
  if (index === undefined) return undefined;
  const before = job.components.slice(0, index).reduce((sum, { allocation }) => sum + allocation.nodes, 0);
  return [before + 1, before + component.allocation.nodes];
}

function applicationWords(
  application: ApplicationDeclaration,
  place: Place,
  input: LaunchInput,
  problems: Problems,
): LaunchWords {
  const facts = input.sized.get(application) as Sized;
  const { launches, members, ownsNodes } = facts;
  const hasArgs = (application.params?.asArgs.length ?? 0) > 0;
  const files: Record<string, string> = {};
  const breaks: (readonly number[])[] = [];
  const environment = environmentNames(application, input.experiment);
  const lines = launches.map((launch): readonly string[] => {
    const launcher = launcherFor(launch, input);
    const { sharesNodes } = launchers[launcher];
    const [{ command }] = launch.programs;
    // Each member's line decides for itself: one that says where its arguments go says nothing about the others.
    const addArgs = hasArgs && !launch.programs.some((program) => program.command.args.includes('{args}'));
    if (!sharesNodes && application.colocated !== undefined) {
      const message = `'${application.name}': ${launcher} runs nothing beside an application on its nodes, a colocated store neither`;
      problems.error('PLAN1002', message, application.colocated.at, 'open a standalone store with .orchestrator()');
    }
    const programs = launch.programs.map(
      (program): LaunchProgram => ({
        step: stepOf(application, program, launcher, place, environment, input),
        words: [...programWords(program.command), ...(addArgs && program === launch.programs[0] ? ['{args}'] : [])],
      }),
    );
    const line = lineOf(launcher, programs, application.name, command.at, problems);
    for (const [name, text] of Object.entries(line.files ?? {})) {
      if (files[name] !== undefined && files[name] !== text) {
        const message = `members of '${application.name}' need different files ${name} for ${launcher}`;
        problems.error('PLAN1002', message, command.at, 'give the members programs of the same sizes');
      }
      files[name] = text;
    }
    breaks.push(breaksOf(line.words, launch, programs));
    return line.words;
  });
  const { allocation, nodesApart } = place.component;
  const atMost = membersOnOwnNodes(application, facts, nodesApart, allocation.nodes);
  return { lines, breaks, files, ...(ownsNodes && members.count > atMost ? { atMost } : {}) };
}

/** Numbers of the words that each program of several starts with, options and all; of a single one, that its own words start with. */
function breaksOf(
  words: readonly string[],
  { programs: sized }: SizedLaunch,
  programs: readonly LaunchProgram[],
): readonly number[] {
  if (programs.length > 1) return words.flatMap((word, index) => (word === ':' ? [index + 1] : []));
  const [{ command }] = sized;
  const start = words.length - (programs[0]?.words.length ?? 0);
  // The container's words, then the command's.
  const inner = command.container === undefined ? [] : [words.indexOf(command.container.image, start) + 1];
  return [start, ...inner];
}

/** A single task of one machine needs no launcher. */
function launcherFor({ programs, size }: SizedLaunch, { target, site }: LaunchInput): LauncherName {
  const [{ command }] = programs;
  if (command.launcher !== undefined) return command.launcher;
  const isPlain = programs.length === 1 && size.tasks === 1;
  return !target.capabilities.severalHosts && isPlain ? 'none' : launcherOf(target, site);
}

function stepOf(
  application: ApplicationDeclaration,
  { command, size }: SizedLaunch['programs'][number],
  launcher: LauncherName,
  { job, component, index }: Place,
  environment: readonly string[],
  { target, site }: LaunchInput,
): LaunchStep {
  const isAlone =
    component.applications.length === 1 &&
    component.orchestrators.length === 0 &&
    application.colocated === undefined &&
    (application.kind === 'model' || job.array?.perElement === 1 || job.separate !== undefined);
  const { hosts, excludeHosts, cpuBind } = command;
  return {
    name: application.kind === 'ensemble' ? '{name}' : application.name,
    nodes: size.nodes,
    tasks: size.tasks,
    tasksPerNode: size.tasksPerNode,
    cpusPerTask: size.cpusPerTask,
    ...(size.gpusPerTask === undefined ? {} : { gpusPerTask: size.gpusPerTask }),
    ...(size.gpusPerNode === undefined ? {} : { gpusPerNode: size.gpusPerNode }),
    ...(size.memoryPerNodeMiB === undefined ? {} : { memoryPerNodeMiB: size.memoryPerNodeMiB }),
    ...(hosts === undefined ? {} : { hosts }),
    ...(excludeHosts === undefined ? {} : { excludeHosts }),
    ...(cpuBind === undefined ? {} : { cpuBind }),
    ...(site.gpuDialect === undefined ? {} : { gpuDialect: site.gpuDialect }),
    namesMemory: namesMemory(target, site, job),
    ...(index === undefined ? {} : { component: index }),
    alone: isAlone,
    overlap: false,
    // Hosts that the user names need no choosing.
    namesHosts: hosts === undefined && namesHosts(target, launcher),
    environment,
    launcherArgs: command.launcherArgs ?? {},
  };
}

/** A directive that is dropped is refused of steps too. */
function namesMemory({ memoryFlag }: Target, site: Site, { batch }: PlacedJob): boolean {
  return ![...site.directives.drop, ...(batch?.directives?.drop ?? [])].some((flag) => flag === memoryFlag);
}

/** Variables that the runtime gives an application, for launchers that hand on only those they are told. */
function environmentNames(application: ApplicationDeclaration, experiment: ExperimentDeclaration): string[] {
  const names = visibleStores(experiment, application).flatMap(({ suffix }) =>
    ['SSDB', 'SR_DB_TYPE', 'SSKEYIN', 'SSKEYOUT', 'SR_SOCKET_TIMEOUT'].map((one) =>
      suffix === '' ? one : `${one}_${suffix}`,
    ),
  );
  const added = application.kind === 'ensemble' ? application.added.map(({ command }) => command) : [];
  const commands = [application.command, ...added].flatMap((command) => [command, ...(command.mpmd ?? [])]);
  return [...new Set([...names, ...commands.flatMap(({ env }) => Object.keys(env ?? {}))])];
}

interface StoreSize {
  readonly name: string;
  readonly at: SourceLocation | undefined;
  readonly nodes: number;
  readonly tasks: number;
  readonly cpus: number;
  readonly gpus: number;
  readonly hosts: readonly string[] | undefined;
}

function standaloneSize(store: OrchestratorDeclaration, { experiment, target }: LaunchInput): StoreSize {
  const { name, at, cpus = 1, hosts } = store;
  const shards = shardsOf(store);
  const nodes = target.capabilities.oneNode ? 1 : (store.nodes ?? shards);
  return { name, at, nodes, tasks: shards, cpus, gpus: standaloneGpus(experiment, store), hosts };
}

/** Words that start one process a node of a store; without any it starts on the script's own host. */
function storeWords(
  { name, at, nodes, tasks, cpus, gpus, hosts }: StoreSize,
  { job, index }: Place,
  { target, site }: LaunchInput,
  problems: Problems,
): readonly string[] {
  const launcher = launcherOf(target, site);
  // Where the script itself runs on the first of the nodes, one store needs no launcher.
  const isHere =
    tasks === 1 && hosts === undefined && (index ?? 0) === 0 && launchers[launcher].startsSingleStores !== true;
  if (!target.capabilities.severalHosts || launcher === 'none' || isHere) return [];
  const step: LaunchStep = {
    name,
    nodes,
    tasks,
    tasksPerNode: Math.ceil(tasks / nodes),
    cpusPerTask: cpus,
    ...(gpus > 0 ? { gpusPerNode: gpus } : {}),
    ...(hosts === undefined ? {} : { hosts }),
    ...(site.gpuDialect === undefined ? {} : { gpuDialect: site.gpuDialect }),
    namesMemory: namesMemory(target, site, job),
    ...(index === undefined ? {} : { component: index }),
    environment: [],
    launcherArgs: {},
    overlap: true,
    namesHosts: hosts === undefined && namesHosts(target, launcher),
  };
  return lineOf(launcher, [{ step, words: [] }], name, at, problems).words;
}

function lineOf(
  launcher: LauncherName,
  programs: readonly LaunchProgram[],
  name: string,
  at: SourceLocation | undefined,
  problems: Problems,
): LaunchLine {
  const [first, ...further] = programs;
  const line = first === undefined ? { words: [] } : launchers[launcher].line([first, ...further]);
  if (!isNotSupported(line)) return line;
  problems.error('PLAN1002', `'${name}': ${line.notSupported}`, at, line.hint);
  return { words: [] };
}
