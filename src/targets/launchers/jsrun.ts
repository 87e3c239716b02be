import type { Launcher, LaunchStep, NotSupported } from '../target.js';
import { erfName, explicitResources } from './erf.js';
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
  rankVariables: ['OMPI_COMM_WORLD_RANK', 'PMIX_RANK'],
  noise: [/^ERROR:\s+One or more process \(first noticed rank/],
  line: (programs) => {
    const [{ step, words }] = programs;
    const isExplicit =
      programs.length > 1 || step.cpuBind !== undefined || (step.hosts ?? []).length > 0 || step.group !== undefined;
    if (!isExplicit) {
      // A file of the user's own says where everything goes.
      const sets = 'erf_input' in step.launcherArgs || 'U' in step.launcherArgs ? [] : setOptions(step);
      return refusal(programs) ?? { words: ['jsrun', ...optionWords(sets, step.launcherArgs, gnuStyle), ...words] };
    }
    const explicit = [...option('erf_input U', erfName), ...option('exit_on_error X', step.overlap ? 1 : undefined)];
    const options = optionWords(explicit, step.launcherArgs, gnuStyle);
    return (
      refusal(programs) ?? {
        words: ['jsrun', ...options, ...(programs.length > 1 ? [] : words)],
        files: { [erfName]: explicitResources(programs) },
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
    // A store that dies on one node ends on all, so that its death is noticed.
    ...option('exit_on_error X', step.overlap ? 1 : undefined),
  ];
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
  return refuseExcludedHosts('jsrun', programs) ?? refuseHostWords('jsrun', programs) ?? refusePart(programs);
}

/** A refusal of launches on a part of a group of nodes: the numbers of their hosts would be the same for all of them. */
function refusePart(programs: Programs): NotSupported | undefined {
  const [{ step }] = programs;
  if (step.group === undefined) return undefined;
  if (step.overlap) {
    return {
      notSupported: 'jsrun starts a store on nodes of its own choice, not on those of its group',
      hint: 'leave out apart, or give the store a job of its own with .batch()',
    };
  }
  const nodes = programs.reduce((sum, one) => sum + one.step.nodes, 0);
  if (nodes === step.group.nodes) return undefined;
  return {
    notSupported: `jsrun is told hosts by their numbers, and a launch of ${counted(nodes)} cannot be told which of ${counted(step.group.nodes)} are its own`,
    hint: 'take all nodes of the group with .nodes(), or give the entity a job of its own with .batch()',
  };
}

function counted(nodes: number): string {
  return nodes === 1 ? '1 node' : `${nodes} nodes`;
}

/** Pattern of a word without quotes: the rules for quoting in the file are not documented. Placeholders are not filled in there. */
const plainWord = /^[A-Za-z0-9_./:=@%+,-]+$/;
