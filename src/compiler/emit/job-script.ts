import type { ApplicationDeclaration, Job, Plan, Site, Store } from '../../ir/index.js';
import { editDirectives } from '../../targets/directives.js';
import { launchers } from '../../targets/launchers/index.js';
import { quoteComment, quoteShell, quoteShellWord } from '../../targets/quoting.js';
import { type LaunchStep, launcherOf, type Target } from '../../targets/target.js';
import type { StepSize } from '../passes/index.js';
import { renderTemplate } from './render-template.js';

/** What scripts are made from. */
export interface ScriptInput {
  readonly plan: Plan;
  readonly site: Site;
  readonly target: Target;
  /** Applications by name, with their sizes. */
  readonly steps: ReadonlyMap<string, { readonly application: ApplicationDeclaration; readonly size: StepSize }>;
}

/** The batch script of one job. */
export function jobScript(job: Job, input: ScriptInput): string {
  const { plan, site, target } = input;
  const launcher = launcherOf(target, site);
  const lines = editDirectives(target.directives(job, launcher), site).map(
    (one) => `${target.sentinel} ${target.formatDirective(one)}`,
  );
  return renderTemplate(`${target.name}/job.sh.njk`, {
    title: quoteComment(`Job ${job.name} of experiment ${plan.experiment}.`),
    maker: makerLine(plan),
    directives: lines,
    variables: target.variables,
    job: quoteShellWord(job.name),
    array: job.array !== undefined,
    preamble: job.preamble,
    modules: job.modules.map(quoteShellWord),
    node: quoteShellWord(site.nodeCommand),
    stores: job.stores.map((name) => upLine(name, job, input)),
    launches: job.entities.flatMap((name) => launchLines(name, job, input)),
  });
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
    target.name === 'local' || launcher === 'none' || (nodes === 1 && launcher !== 'srun' && launcher !== 'jsrun');
  const words = direct ? [] : launchers[launcher]({ ...size, namesHosts: !target.capabilities.placesSteps });
  return `runtime up ${quoteShellWord(name)} --${words.length === 0 ? '' : ` ${quoteShell(words)}`}`;
}

function launchLines(name: string, job: Job, { plan, site, target, steps }: ScriptInput): string[] {
  const step = steps.get(name);
  const entity = plan.entities.find((one) => one.name === name);
  if (step === undefined || entity === undefined) return [];
  const { application, size } = step;
  const { executable, args } = application.command;
  const rendered = entity.asArgs.length > 0 && !args.includes('{args}') ? [...args, '{args}'] : args;
  const launcher = target.name === 'local' && size.tasks === 1 ? 'none' : launcherOf(target, site);
  const launch: LaunchStep = {
    ...size,
    overlap: false,
    namesHosts: !target.capabilities.placesSteps,
    environment: environmentNames(name, plan),
  };
  const maxConcurrent = application.batch?.maxConcurrent;
  const options = [
    ...(job.array === undefined ? [] : ['--member', '"$SIMWRIGHT_ARRAY_INDEX"']),
    ...(entity.kind === 'ensemble' && job.array === undefined && maxConcurrent !== undefined
      ? ['--at-most', String(maxConcurrent)]
      : []),
  ];
  const head = ['runtime launch', quoteShellWord(name), ...options, '--'].join(' ');
  const words = quoteShell([...launchers[launcher](launch), executable, ...rendered]);
  const line = `${head} ${words}`;
  const tail = ' & launched+=($!)';
  return line.length + tail.length <= 120 ? [line + tail] : [`${head} \\`, `  ${words}${tail}`];
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
