import type { ApplicationDeclaration, Job, Plan, Site, Store } from '../../ir/index.js';
import { editDirectives } from '../../targets/directives.js';
import { launchers } from '../../targets/launchers/index.js';
import { quoteComment, quoteShellWord } from '../../targets/quoting.js';
import { type LaunchStep, launcherOf, namesHosts, type Target } from '../../targets/target.js';
import type { StepSize } from '../passes/index.js';
import { renderTemplate } from './render-template.js';

/** An application as scripts show it. */
export interface EmittedStep {
  readonly application: ApplicationDeclaration;
  readonly size: StepSize;
  /** Members at a time, where the user limits them. */
  readonly maxConcurrent: number | undefined;
}

/** What scripts are made from. */
export interface ScriptInput {
  readonly plan: Plan;
  readonly site: Site;
  readonly target: Target;
  /** Applications by name, with their sizes. */
  readonly steps: ReadonlyMap<string, EmittedStep>;
}

/** The batch script of one job. */
export function jobScript(job: Job, input: ScriptInput): string {
  const { plan, site, target } = input;
  const launcher = launcherOf(target, site);
  const lines = editDirectives(target.directives(job, launcher), site).map(
    (one) => `${target.sentinel} ${target.formatDirective(one)}`,
  );
  const variables = jobVariables(job, target);
  return renderTemplate(`${target.name}/job.sh.njk`, {
    title: quoteComment(`Job ${job.name} of experiment ${plan.experiment}.`),
    maker: makerLine(plan),
    directives: lines,
    // The module function is a login shell's.
    shellOptions: job.modules.length === 0 ? '' : ' -l',
    submitFolder: target.variables.submitFolder,
    setup: [...job.preamble, ...job.modules.map((name) => `module load ${quoteShellWord(name)}`)],
    variables,
    exports: wrapLine(
      'export',
      variables.map(({ name }) => name),
    ),
    node: quoteShellWord(site.nodeCommand),
    stores: job.stores.map((name) => upLine(name, job, input)),
    launches: job.entities.flatMap((name) => launchLine(name, job, input)),
  });
}

/** What the script tells the runtime, in its environment; values are words of shell. */
function jobVariables({ name, array, allocation }: Job, { variables }: Target) {
  const { jobId, elementId = jobId, hosts, cpusPerNode, cpusPerWholeNode = cpusPerNode, arrayIndex } = variables;
  return [
    { name: 'SIMWRIGHT_JOB', value: quoteShellWord(name) },
    { name: 'SIMWRIGHT_JOB_ID', value: array === undefined ? jobId : elementId },
    { name: 'SIMWRIGHT_HOSTS', value: hosts },
    {
      name: 'SIMWRIGHT_CPUS_PER_NODE',
      value: allocation.cpusPerNode === undefined ? cpusPerWholeNode : cpusPerNode,
    },
    ...(array === undefined ? [] : [{ name: 'SIMWRIGHT_ARRAY_INDEX', value: arrayIndex }]),
    { name: 'SIMWRIGHT_STARTED', value: '$(date +%s)' },
    { name: 'SIMWRIGHT_SCRIPT_PID', value: '$$' },
  ];
}

/** Says what made a file; no time and no user, so that the same input gives the same bytes. */
export function makerLine(plan: Plan): string {
  return quoteComment(`Made by simwright ${plan.simwright} from ${plan.workflow} for site ${plan.site}.`);
}

/** `runtime up NAME -- LAUNCH…`; without a launcher the store starts on the script's own host. */
function upLine(name: string, job: Job, { plan, site, target }: ScriptInput): string {
  const store = plan.stores.find((one) => one.name === name) as Store;
  const launcher = launcherOf(target, site);
  const nodes = store.kind === 'colocated' ? job.allocation.nodes : 1;
  const size = { nodes, tasks: nodes, tasksPerNode: 1, cpusPerTask: store.cpus, environment: [], overlap: true };
  // Where the script itself runs on the first of the nodes, one store needs no launcher.
  const direct =
    !target.capabilities.severalHosts ||
    launcher === 'none' ||
    (nodes === 1 && launcher !== 'srun' && launcher !== 'jsrun');
  const words = direct ? [] : launchers[launcher]({ ...size, namesHosts: namesHosts(target, launcher) });
  const quoted = words.map((word) => (word === '{hosts}' ? allHosts : quoteShellWord(word)));
  const head = `runtime up ${quoteShellWord(name)}`;
  return words.length === 0 ? head : wrapLine(`${head} --`, quoted);
}

/** A store on all of a job's nodes, as launchers take hosts. */
const allHosts = `"\${SIMWRIGHT_HOSTS// /,}"`;

/** Columns of a line, as far as words allow. */
const lineWidth = 120;

/** A line of shell; one that would be too long goes on after its head, in as many lines as it takes. */
function wrapLine(head: string, words: readonly string[]): string {
  const whole = [head, ...words].join(' ');
  if (whole.length <= lineWidth) return whole;
  const lines = [head];
  for (const word of words) {
    const line = lines.at(-1) ?? '';
    // Room for the backslash.
    if (lines.length > 1 && line.length + 1 + word.length <= lineWidth - 2) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(`  ${word}`);
  }
  return lines.join(' \\\n');
}

function launchLine(name: string, job: Job, { plan, site, target, steps }: ScriptInput): string[] {
  const step = steps.get(name);
  const entity = plan.entities.find((one) => one.name === name);
  if (step === undefined || entity === undefined) return [];
  const { application, size, maxConcurrent } = step;
  const { executable, args } = application.command;
  const rendered = entity.asArgs.length > 0 && !args.includes('{args}') ? [...args, '{args}'] : args;
  const launcher = !target.capabilities.severalHosts && size.tasks === 1 ? 'none' : launcherOf(target, site);
  const launch: LaunchStep = {
    ...size,
    overlap: false,
    namesHosts: namesHosts(target, launcher),
    environment: environmentNames(name, plan),
  };
  const options = [
    ...(job.array === undefined ? [] : ['--member', '"$SIMWRIGHT_ARRAY_INDEX"']),
    ...(entity.kind === 'ensemble' && job.array === undefined && maxConcurrent !== undefined
      ? ['--at-most', String(maxConcurrent)]
      : []),
  ];
  const line = [...launchers[launcher](launch), executable, ...rendered].map(quoteShellWord);
  const last = `${line.pop()} & launched+=($!)`;
  return [wrapLine(['runtime launch', quoteShellWord(name), ...options, '--'].join(' '), [...line, last])];
}

/** Variables that the runtime gives an entity's application, for launchers that hand on only those they are told. */
function environmentNames(name: string, plan: Plan): string[] {
  const entity = plan.entities.find((one) => one.name === name);
  if (entity === undefined) return [];
  const names = plan.stores
    .filter((store) => entity.stores.includes(store.name))
    .flatMap(({ suffix }) =>
      ['SSDB', 'SR_DB_TYPE', 'SSKEYIN', 'SSKEYOUT', 'SR_SOCKET_TIMEOUT'].map((one) =>
        suffix === '' ? one : `${one}_${suffix}`,
      ),
    );
  return [...new Set([...names, ...Object.keys(entity.env)])];
}
