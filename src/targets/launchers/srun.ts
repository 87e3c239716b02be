import type { Launcher, LaunchStep } from '../target.js';
import { gnuStyle, type LauncherOption, optionsOf, optionWords } from './options.js';
import { colonLine, commaList, type Programs } from './programs.js';

const option = optionsOf(gnuStyle);

/**
 * Slurm's srun. A step inherits the job's sizes unless it names its own, so all are named; memory 0 shares the job's memory, where
 * a step without `--mem` would take all of it and keep the next one waiting; `--exact` takes the CPUs it names and no more.
 */
export const srun: Launcher = {
  name: 'srun',
  program: 'srun',
  sharesNodes: true,
  namesHosts: 'besideOthers',
  startsSingleStores: true,
  storesCpus: 'overlap',
  bindsWithinLaunch: true,
  givesGpus: true,
  rankVariables: ['SLURM_PROCID'],
  noise: [
    /^srun: (error: .*\b(Exited with exit code|Terminated|Killed|task.*: Aborted)|Terminating|launch\/slurm: .*tasks? )/i,
    /^srun: (Job step aborted|First task exited|Force Terminated)/i,
    /^slurmstepd: error: \*\*\* (STEP|JOB) .* CANCELLED AT /,
  ],
  line: (programs) => {
    const hosts = hostsOfPrograms(programs);
    const optionsOfStep = (step: LaunchStep) => [...srunOptions(step), ...hostOptions(step, hosts.get(step))];
    return colonLine('srun', programs, (step) => optionWords(optionsOfStep(step), step.launcherArgs, gnuStyle));
  },
};

/** The accounting then shows members by their names, and stores by theirs. Two words, since the runtime fills in whole ones. */
function stepName({ name }: LaunchStep): LauncherOption {
  return { names: ['job-name', 'J'], words: ['-J', name] };
}

/** Options that end all tasks with the first that fails, or let the others go on without it and its node. */
function endOptions({ endsTogether }: LaunchStep): readonly LauncherOption[] {
  if (endsTogether === undefined) return [];
  return [...option('kill-on-bad-exit K', Number(endsTogether)), ...(endsTogether ? [] : option('no-kill k', true))];
}

function srunOptions(step: LaunchStep): readonly LauncherOption[] {
  return [
    stepName(step),
    ...option('het-group', step.component),
    ...option('nodes N', step.nodes),
    ...option('ntasks n', step.tasks),
    ...option('ntasks-per-node', step.tasks > 1 ? step.tasksPerNode : undefined),
    // Whole cores, where Slurm counts threads.
    ...option('cpus-per-task c', step.cpusPerTask * (step.threadsPerCpu ?? 1)),
    ...gpuOptions(step),
    ...option('mem mem-per-cpu mem-per-gpu', memory(step)),
    ...option(step.overlap ? 'overlap s' : 'exact', true),
    ...endOptions(step),
  ];
}

/** As many hosts as nodes: of more, srun would take the first with a warning. */
function hostOptions(step: LaunchStep, chosen: string | undefined): readonly LauncherOption[] {
  const { nodes, hosts, excludeHosts, cpuBind } = step;
  const named = commaList(hosts?.slice(0, nodes));
  return [
    // Two words, since the runtime fills in whole ones.
    ...(named === undefined && chosen !== undefined
      ? [{ names: hostNames.split(' '), words: ['-w', chosen] }]
      : option(hostNames, named)),
    ...option('exclude x', commaList(excludeHosts)),
    ...option('cpu-bind', cpuBind === undefined ? undefined : `map_cpu:${cpuBind.join(',')}`),
  ];
}

const hostNames = 'nodelist w nodefile F';

/** Placeholders of the hosts that the runtime chooses: each of several programs has nodes of its own, and a store the first of its group. */
function hostsOfPrograms(programs: Programs): ReadonlyMap<LaunchStep, string | undefined> {
  let before = 0;
  return new Map(
    programs.map(({ step }) => {
      const first = before + 1;
      before += step.nodes;
      if (!step.namesHosts) return [step, undefined];
      return [step, programs.length > 1 || step.overlap ? `{hosts[${first}-${before}]}` : '{hosts}'];
    }),
  );
}

/** Memory by node; where the site takes none, a step has its CPUs' share of the job's. */
function memory({ memoryPerNodeMiB, namesMemory = true }: LaunchStep): string | number | undefined {
  if (!namesMemory) return undefined;
  return memoryPerNodeMiB === undefined ? 0 : `${memoryPerNodeMiB}M`;
}

/**
 * As the job asked for them: a step that names GPUs in other words than its job gets none. A step that does not name its number a node inherits
 * the job's, and so keeps the GPUs of others: those of its tasks are not enough. A job that names none, since its nodes come with theirs, has
 * them all.
 */
function gpuOptions({ gpuDialect, gpusPerTask, gpusPerNode, tasksPerNode }: LaunchStep): readonly LauncherOption[] {
  const onNode = gpusPerNode ?? (gpusPerTask === undefined ? undefined : gpusPerTask * tasksPerNode);
  if (gpuDialect === 'gres') {
    return option('gres gpus-per-node gpus-per-task gpus G', onNode === undefined ? undefined : `gpu:${onNode}`);
  }
  return [...option('gpus-per-task', gpusPerTask), ...option('gpus-per-node gres gpus G', onNode)];
}
