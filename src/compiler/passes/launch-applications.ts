import type { Problems } from '../../diagnostics/index.js';
import {
  type ApplicationDeclaration,
  applicationsOf,
  commandsOf,
  defined,
  hasNumbers,
  type Launch,
  type LauncherName,
  mergeArgs,
  rayVariables,
  standsForHosts,
} from '../../ir/index.js';
import { type LaunchProgram, type LaunchStep, launcherOf } from '../../targets/target.js';
import type { Adds, PlacedComponent, Reads, Sized, SizedLaunch, SizedProgram, StepSize } from './compilation.js';
import { choosesHosts, hasWholeNodes, launchLine, siteArgs, stepOptions } from './launch-line.js';
import { cpusOfStores } from './launch-stores.js';
import { membersOnOwnNodes } from './lookup/members-at-once.js';
import { placeOf } from './lookup/placed-jobs.js';
import { programWords } from './lookup/program-words.js';
import { visibleStores } from './lookup/visible-stores.js';

/** Input of the launch lines. */
type Input = Reads<'experiment' | 'sized' | 'jobs' | 'site' | 'target' | 'launchers'>;

/** The launch lines of every application, and the files that they read. */
export function launchApplications(input: Input, problems: Problems): Adds<'launches' | 'launcherTexts'> {
  const launches = new Map<ApplicationDeclaration, Launch>();
  const launcherTexts = new Map<ApplicationDeclaration, Record<string, string>>();
  for (const application of applicationsOf(input.experiment)) {
    const texts: Record<string, string> = {};
    const { launches: sized } = input.sized.get(application) as Sized;
    const environment = environmentNames(application, input);
    const lines = sized.map((launch) => lineOf(application, launch, { environment, texts }, input, problems));
    const atMost = membersAtMost(application, input);
    launches.set(application, { lines, ...defined({ atMost }) });
    launcherTexts.set(application, texts);
  }
  return { launches, launcherTexts };
}

/** The line of one launch. `environment`: variables that all launches pass on. The files that the line reads are added to `texts`. */
function lineOf(
  application: ApplicationDeclaration,
  launch: SizedLaunch,
  { environment, texts }: { readonly environment: readonly string[]; readonly texts: Record<string, string> },
  input: Input,
  problems: Problems,
): Launch['lines'][number] {
  const launcher = launcherFor(launch, input);
  const [first, ...further] = launch.programs;
  const programOf = (program: SizedProgram, words: readonly string[] = []): LaunchProgram => ({
    step: stepOf(application, program, launcher, environment, input),
    words: [...wrapperOf(application, program, launcher, input), ...programWords(program.command), ...words],
  });
  // Each line is looked at by itself: another member's command may already say where its arguments go.
  const isPlaced = launch.programs.some(({ command }) => command.args.includes('{args}'));
  const hasArgs = (application.params?.asArgs.length ?? 0) > 0;
  const programs = [
    programOf(first, hasArgs && !isPlaced ? ['{args}'] : []),
    ...further.map((program) => programOf(program)),
  ] as const;
  const { name } = application;
  const { at } = first.command;
  const { words, files = {}, resources } = launchLine(launcher, programs, { name, at }, input, problems);
  for (const [file, text] of Object.entries(files)) {
    if (texts[file] !== undefined && texts[file] !== text) {
      const message = `members of '${name}' need different files ${file} for ${launcher}`;
      problems.error('PLAN1002', message, at, 'give the members programs of the same sizes');
    }
    texts[file] = text;
  }
  const hosts = launch.programs.flatMap(({ command, size }) => command.hosts?.slice(0, size.nodes) ?? []);
  return {
    words: [...words],
    breaks: [...breaksOf(words, launch, programs)],
    ...(hosts.length > 0 ? { hosts: [...new Set(hosts)] } : {}),
    ...defined({ resources }),
  };
}

/** Limit of members that one line runs at the same time. Members added by hand have a line each, so they have none. */
function membersAtMost(
  application: ApplicationDeclaration,
  { experiment, sized, jobs }: Pick<Input, 'experiment' | 'sized' | 'jobs'>,
): number | undefined {
  const facts = sized.get(application) as Sized;
  const { job, group } = placeOf(application, jobs);
  const isSplit = job.array !== undefined || job.separate !== undefined;
  const isOne = !hasNumbers(application) || facts.launches.length > 1;
  if (isOne || (isSplit && (job.array?.perElement ?? 1) === 1)) return undefined;
  const onNodes = membersOnOwnNodes(application, facts, group.nodesApart, group.nodes);
  // The scheduler limits the elements of an array.
  const ofUser = isSplit ? undefined : (application.batch ?? experiment.batch)?.maxConcurrent;
  const ofLauncher = facts.ownsNodes && facts.members.count > onNodes ? onNodes : undefined;
  const limits = [ofUser, ofLauncher, group.atMost.get(application)].filter((one) => one !== undefined);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

/** Positions at which a long line may be broken: before each of several programs; before the words of a single one. */
function breaksOf(
  words: readonly string[],
  { programs: sized }: SizedLaunch,
  programs: readonly [LaunchProgram, ...LaunchProgram[]],
): readonly number[] {
  if (programs.length > 1) return words.flatMap((word, index) => (word === ':' ? [index + 1] : []));
  const [{ command }] = sized;
  const start = words.length - programs[0].words.length;
  // In a container: after the container's own words too.
  const inner = command.container === undefined ? [] : [words.indexOf(command.container.image, start) + 1];
  return [start, ...inner];
}

/** The launcher of a launch. On one machine a single task needs none. */
function launcherFor({ programs, size }: SizedLaunch, { target, site }: Input): LauncherName {
  const [{ command }] = programs;
  if (command.launcher !== undefined) return command.launcher;
  const isPlain = programs.length === 1 && size.tasks === 1;
  return !target.capabilities.severalHosts && isPlain ? 'none' : launcherOf(target, site);
}

function asksForGpus({ gpusPerTask = 0, gpusPerNode = 0 }: StepSize): boolean {
  return gpusPerTask > 0 || gpusPerNode > 0;
}

/** True if an application on nodes of one kind asks for GPUs. */
function oneAsksForGpus({ applications }: PlacedComponent, sized: Input['sized']): boolean {
  return applications.some((one) => asksForGpus((sized.get(one) as Sized).size));
}

/** The site's words before a program and its container. Without a launcher there is no rank that they could tell by. */
function wrapperOf(
  application: ApplicationDeclaration,
  { size }: SizedProgram,
  launcher: LauncherName,
  input: Input,
): readonly string[] {
  const { wrapper } = input.site;
  if (wrapper === undefined || launcher === 'none') return [];
  const holds = {
    always: true,
    gpus: asksForGpus(size),
    gpuPerTask: size.gpusPerTask === 1 && isOnlyLaunch(application, input),
  };
  return holds[wrapper.when] ? wrapper.words : [];
}

/** True if no other launch of an application is on the nodes of a launch while it runs: other jobs', other entities' or other members'. */
function isOnlyLaunch(application: ApplicationDeclaration, { jobs, site, target }: Input): boolean {
  const place = placeOf(application, jobs);
  const { job, group } = place;
  const isOneAtATime = !hasNumbers(application) || job.array?.perElement === 1 || job.separate !== undefined;
  return hasWholeNodes(place, { site, target }) && group.applications.length === 1 && isOneAtATime;
}

function stepOf(
  application: ApplicationDeclaration,
  { command, size }: SizedProgram,
  launcher: LauncherName,
  environment: readonly string[],
  input: Input,
): LaunchStep {
  const { jobs, sized, target, site, launchers } = input;
  const place = placeOf(application, jobs);
  const { component, group } = place;
  const { hosts, excludeHosts, cpuBind } = command;
  const { walltimeSeconds: _walltimeSeconds, ...sizes } = size;
  const readsHosts = target.capabilities.severalHosts && programWords(command).some(standsForHosts);
  return {
    name: hasNumbers(application) ? '{name}' : application.name,
    ...sizes,
    // A launch that says nothing of GPUs may get all of the job's.
    ...(!asksForGpus(size) && oneAsksForGpus(component, sized) ? { gpusPerNode: 0 } : {}),
    ...defined({ hosts: hosts?.slice(0, size.nodes), excludeHosts, cpuBind }),
    ...stepOptions(place, { site, target }),
    alone: isOnlyLaunch(application, input) && group.orchestrators.length === 0 && application.colocated === undefined,
    cpusOfStores: cpusOfStores(group),
    overlap: false,
    ...(application.kind === 'ray-cluster' ? { endsTogether: true } : {}),
    // The runtime does not choose where the user has named the hosts.
    namesHosts: hosts === undefined && (choosesHosts(place, launchers[launcher], { sized, target }) || readsHosts),
    environment,
    launcherArgs: mergeArgs([...siteArgs(site, launcher, asksForGpus(size)), command.launcherArgs ?? {}]),
  };
}

/** Names of the variables that an application gets: some launchers pass on only those they are told, and complain of those that are not set. */
function environmentNames(
  application: ApplicationDeclaration,
  { experiment, target, site }: Pick<Input, 'experiment' | 'target' | 'site'>,
): string[] {
  const ofStore = [
    ...['SSDB', 'SR_DB_TYPE', 'SR_SOCKET_TIMEOUT'],
    ...(application.incoming.length > 0 ? ['SSKEYIN'] : []),
    ...((application.keyPrefixing ?? hasNumbers(application)) ? ['SSKEYOUT'] : []),
  ];
  const names = visibleStores(experiment, application).flatMap(({ suffix }) =>
    ofStore.map((one) => (suffix === '' ? one : `${one}_${suffix}`)),
  );
  const ofUser = commandsOf(application).flatMap(({ env }) => Object.keys(env ?? {}));
  // Ray gives each of its workers the threads of its task.
  const threads = target.capabilities.oneNode || application.kind === 'ray-cluster' ? [] : ['OMP_NUM_THREADS'];
  const ofRay = application.usesRay === undefined ? [] : rayVariables;
  return [...new Set([...names, ...ofRay, ...threads, ...Object.keys(site.env), ...ofUser, ...everywhere])];
}

/** Variables that every member has: where it is, who it is, and where its programs and libraries are. */
const everywhere = [
  'SIMWRIGHT_DIR',
  'SIMWRIGHT_NAME',
  'SIMWRIGHT_MEMBER',
  'SIMWRIGHT_JOB',
  'SIMWRIGHT_JOB_ID',
  'PATH',
  'LD_LIBRARY_PATH',
];
