import { type Allocation, type Job, minimumNode, type Plan } from '../../ir/index.js';
import { mpiVariables } from '../../targets/outer-job.js';
import { quoteComment, quoteShellWord } from '../../targets/quoting.js';
import type { JobVariables, Target } from '../../targets/target.js';
import { entitiesOf, launchLines, loadModule, storeLines, storesOf } from './launch-lines.js';
import { renderTemplate } from './render-template.js';
import { wrapLine } from './wrap-line.js';

/** The batch script of one job. */
export function jobScript(job: Job, plan: Plan, target: Target): string {
  const variables = [...jobVariables(job, target), ...libraryPath(job, plan)];
  return renderTemplate(
    `${target.name}/job.sh.njk`,
    {
      title: quoteComment(`Job ${job.name} of experiment ${plan.experiment}.`),
      maker: makerLine(plan),
      directives: directiveLines(job, target),
      namesThreads: job.directives.flat().some(({ value }) => /\bOMP_NUM_THREADS\b/.test(String(value))),
      directivesFirst: target.directivesFirst === true,
      // The function `module` exists in login shells only.
      shellOptions: usesModules(job, plan) ? ' -l' : '',
      submitFolder: target.variables.submitFolder,
      outer: wrapLine('unset', outerVariables(job, target)),
      // The site's variables come first, so that the lines below may change them.
      setup: [...Object.entries(job.env ?? {}).map(exportLine), ...job.preamble, ...job.modules.map(loadModule)],
      jobName: quoteShellWord(job.name),
      jobId: variables.find((one) => one.name === 'SIMWRIGHT_JOB_ID')?.value ?? '',
      // Other jobs may wait for this one.
      isAwaited: plan.jobs.length > 1,
      awaitsOwn: awaitsOwn(job, plan),
      variables,
      exports: wrapLine(
        'export',
        variables.map(({ name }) => name),
      ),
      node: quoteShellWord(plan.nodeCommand),
      minimumNode,
      stores: storeLines(job, plan),
      launches: launchLines(job, plan),
    },
    plan.blocks,
  );
}

/** Launchers that pass on variables by name complain of one that is not set. */
function libraryPath(job: Job, plan: Plan) {
  const name = 'LD_LIBRARY_PATH';
  const words = [
    ...entitiesOf(job, plan).flatMap(({ launch }) => launch.lines.flatMap((line) => line.words)),
    ...storesOf(job, plan).flatMap(({ launch }) => launch),
    ...(job.allow?.lines.flat() ?? []),
  ];
  return words.includes(name) ? [{ name, value: `"\${${name}-}"` }] : [];
}

/** True if a launch of the job waits for another launch of the same job. */
function awaitsOwn(job: Job, plan: Plan): boolean {
  const own = new Set(job.entities);
  return entitiesOf(job, plan).some(({ after }) =>
    after.some(({ name }) => own.has(name) || own.has(name.replace(/_\d+$/, ''))),
  );
}

/** Arguments of `unset`: variables that an outer job may have left, and that launchers would read. */
function outerVariables(job: Job, target: Target): readonly string[] {
  const ofLaunchers = target.outerVariables?.(job.directives.flat()) ?? mpiVariables;
  const isIndexed = job.array !== undefined || job.separate !== undefined;
  return [...(isIndexed ? [] : ['SIMWRIGHT_ARRAY_INDEX']), ...ofLaunchers];
}

/** The lines of the directives, with a separator between components where the scheduler needs one. */
function directiveLines({ directives }: Job, target: Target): string[] {
  return directives.flatMap((list, index) => [
    ...(index > 0 && target.componentSeparator !== undefined ? [target.componentSeparator] : []),
    ...list.map((one) => `${target.sentinel} ${target.formatDirective(one)}`),
  ]);
}

function usesModules(job: Job, plan: Plan): boolean {
  const setups = [...entitiesOf(job, plan), ...storesOf(job, plan)].flatMap(({ setup }) => setup ?? []);
  return [job, ...setups].some(({ modules }) => modules.length > 0);
}

/** The environment variables that the script sets for the runtime; values are words of shell. */
function jobVariables({ name, array, separate, allocation, components, directives }: Job, { variables }: Target) {
  const told = (fact: JobVariables['hosts']) => (typeof fact === 'string' ? fact : fact(directives.flat()));
  const { jobId, elementId = jobId, arrayIndex } = variables;
  const [hosts, cpusPerNode] = [told(variables.hosts), told(variables.cpusPerNode)];
  const { componentHosts = hosts, cpusPerWholeNode = cpusPerNode } = variables;
  // submit.sh passes an index to each job of the script.
  const index = separate === undefined ? arrayIndex : `"\${SIMWRIGHT_ARRAY_INDEX:?}"`;
  return [
    { name: 'SIMWRIGHT_JOB', value: quoteShellWord(name) },
    { name: 'SIMWRIGHT_JOB_ID', value: array === undefined ? jobId : elementId },
    { name: 'SIMWRIGHT_HOSTS', value: components.length === 0 ? hosts : componentHosts },
    {
      name: 'SIMWRIGHT_CPUS_PER_NODE',
      value: coresOf(allocation.cpusPerNode === undefined ? told(cpusPerWholeNode) : cpusPerNode, allocation),
    },
    ...(array === undefined && separate === undefined ? [] : [{ name: 'SIMWRIGHT_ARRAY_INDEX', value: index }]),
    { name: 'SIMWRIGHT_STARTED', value: '$(date +%s)' },
    { name: 'SIMWRIGHT_SCRIPT_PID', value: '$$' },
  ];
}

/**
 * The number of CPUs that a word of shell says, as a word of shell: of cores, where the scheduler says it of their hardware threads. A word
 * that says nothing stays.
 */
function coresOf(word: string, { threadsPerCpu = 1 }: Allocation): string {
  const expression = word.replace(/^"(.*)"$/s, '$1').replace(/^\$(\w+)$/, '$1');
  return threadsPerCpu === 1 || expression === "''" ? word : `$((${expression} / ${threadsPerCpu}))`;
}

function exportLine([name, value]: [name: string, value: string]): string {
  return `export ${name}=${quoteShellWord(value)}`;
}

/** A comment that names the maker of a file, without time or user: the same input gives the same bytes. */
export function makerLine(plan: Plan): string {
  return quoteComment(`Made by simwright ${plan.simwright} from ${plan.workflow} for site ${plan.site}.`);
}
