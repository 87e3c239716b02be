import type { Launcher, LaunchStep, NotSupported } from '../target.js';
import { coresOf, erfName, explicitResources, placeResources } from './erf.js';
import { gnuStyle, type LauncherOption, optionsOf, optionWords } from './options.js';
import { type Programs, refuseExcludedHosts, refuseHostWords } from './programs.js';
import { resourceSets } from './resource-sets.js';

const option = optionsOf(gnuStyle);

/**
 * IBM's jsrun. Tasks come in resource sets, which the job step manager spreads over the hosts; several programs, hosts and CPUs by
 * number are told by an explicit resource file.
 */
export const jsrun: Launcher = {
  name: 'jsrun',
  program: 'jsrun',
  sharesNodes: true,
  nodesAlike: true,
  scriptApart: true,
  startsSingleStores: true,
  givesGpus: true,
  storesCpus: 'hold',
  resources: { place: placeResources, cores: coresOf },
  rankVariables: ['OMPI_COMM_WORLD_RANK', 'PMIX_RANK'],
  noise: [/^ERROR:\s+One or more process \(first noticed rank/],
  line: (programs) => {
    const [{ step, words }] = programs;
    const isExplicit =
      programs.length > 1 || step.namesHosts || step.cpuBind !== undefined || (step.hosts ?? []).length > 0;
    // A file of the user's own says where everything goes.
    const isUsers = 'erf_input' in step.launcherArgs || 'U' in step.launcherArgs;
    if (!isExplicit) {
      const sets = isUsers ? [] : setOptions(step);
      return refusal(programs) ?? { words: ['jsrun', ...optionWords(sets, step.launcherArgs, gnuStyle), ...words] };
    }
    const file = step.overlap ? '{resources}' : erfName;
    const explicit = [...option('erf_input U', file), ...endOptions(step)];
    const options = optionWords(explicit, step.launcherArgs, gnuStyle);
    const bound = programs.some((one) => one.step.cpuBind !== undefined);
    return (
      refusal(programs) ?? {
        words: ['jsrun', ...options, ...(programs.length > 1 ? [] : words)],
        files: { [file]: explicitResources(programs) },
        ...(step.namesHosts && !isUsers
          ? { resources: { file, threadsPerCore: step.threadsPerCore ?? 1, bound } }
          : {}),
      }
    );
  },
};

function setOptions(step: LaunchStep): readonly LauncherOption[] {
  const sets = resourceSets(step);
  return [
    ...option('nrs n', sets.count),
    ...option('tasks_per_rs a', sets.tasks),
    ...option('cpu_per_rs c', sets.cpus),
    ...option('gpu_per_rs g', sets.gpus),
    ...option('rs_per_host r', sets.perHost),
    ...option('memory_per_rs m', sets.memoryMiB),
    // Otherwise each task is bound to one core of its set.
    ...option('bind b', step.cpusPerTask > 1 ? `packed:${step.cpusPerTask}` : undefined),
    ...endOptions(step),
  ];
}

/** The option that ends all tasks with the first that fails, or says that the others go on: the user may have changed the default. */
function endOptions({ endsTogether }: LaunchStep): readonly LauncherOption[] {
  return option('exit_on_error X', endsTogether === undefined ? undefined : Number(endsTogether));
}

function refusal(programs: Programs): NotSupported | undefined {
  if (programs.some(({ step }) => (step.component ?? 0) > 0)) {
    return {
      notSupported: 'jsrun cannot choose among the nodes of one job that differ',
      hint: 'give the entity a job of its own with .batch()',
    };
  }
  const held = programs.find(({ step: { cpuBind = [], cpusOfStores = 0 } }) =>
    cpuBind.some((cpu) => cpu < cpusOfStores),
  );
  if (held !== undefined) {
    const { cpusOfStores = 0 } = held.step;
    return {
      notSupported: `a store holds the first ${cpusOfStores === 1 ? 'CPU' : `${cpusOfStores} CPUs`} of each node, and jsrun would wait for it`,
      hint: `bind tasks to CPUs from ${cpusOfStores} on`,
    };
  }
  if (programs.length > 1) {
    const odd = programs.flatMap(({ words }) => words).find((word) => !plainWord.test(word));
    if (odd !== undefined) {
      return {
        notSupported: `with several programs jsrun reads their words from a file, where '${odd}' cannot stand`,
        hint: 'pass it by .env(), or in a file of .attach({ configure })',
      };
    }
  }
  return (
    refuseExcludedHosts('jsrun', programs) ??
    (programs[0].step.namesHosts ? undefined : refuseHostWords('jsrun', programs))
  );
}

/** Pattern of a word without quotes: the rules for quoting in the file are not documented. Placeholders are not filled in there. */
const plainWord = /^[A-Za-z0-9_./:=@%+,-]+$/;
