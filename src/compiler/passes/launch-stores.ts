import type { Problems, SourceLocation } from '../../diagnostics/index.js';
import { byKind, type ColocatedDeclaration, defined, type OrchestratorDeclaration } from '../../ir/index.js';
import { type LaunchStep, launcherOf, namesHosts } from '../../targets/target.js';
import type { Adds, Reads } from './known.js';
import { launchLine, stepOptions } from './launch-line.js';
import { colocatedGpus, standaloneGpus } from './lookup/gpus.js';
import { type EntityPlace, placeOf } from './lookup/placed-jobs.js';
import { shardsOf } from './lookup/visible-stores.js';

/** What stores' words are made from. */
type Input = Reads<'experiment' | 'jobs' | 'site' | 'target' | 'launchers'>;

/** The words that start every store: standalone ones, and those colocated with applications. */
export function launchStores(input: Input, problems: Problems): Adds<'storeLaunches'> {
  const { experiment, jobs } = input;
  const storeLaunches = new Map<OrchestratorDeclaration | ColocatedDeclaration, readonly string[]>();
  for (const entity of experiment.entities) {
    const place = placeOf(entity, jobs);
    byKind(entity, {
      orchestrator: (store) => {
        storeLaunches.set(store, storeWords(standaloneSize(store, input), place, input, problems));
      },
      application: (one) => {
        const { name, colocated } = one;
        if (colocated === undefined) return;
        const { nodes } = place.component.allocation;
        const { cpus = 1, at } = colocated;
        const size = { name, at, nodes, tasks: nodes, cpus, gpus: colocatedGpus(experiment, one), hosts: undefined };
        storeLaunches.set(colocated, storeWords(size, place, input, problems));
      },
    });
  }
  return { storeLaunches };
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

function standaloneSize(store: OrchestratorDeclaration, { experiment, target }: Input): StoreSize {
  const { name, at, cpus = 1, hosts } = store;
  const shards = shardsOf(store);
  const nodes = target.capabilities.oneNode ? 1 : (store.nodes ?? shards);
  return { name, at, nodes, tasks: shards, cpus, gpus: standaloneGpus(experiment, store), hosts };
}

/** Words that start one process a node of a store; without any it starts on the script's own host. */
function storeWords(size: StoreSize, place: EntityPlace, input: Input, problems: Problems): readonly string[] {
  const { target, site, launchers } = input;
  const { name, nodes, tasks, cpus, gpus, hosts } = size;
  const launcher = launcherOf(target, site);
  // Where the script itself runs on the first of the nodes, one store needs no launcher.
  const isHere =
    tasks === 1 && hosts === undefined && place.index === 0 && launchers[launcher].startsSingleStores !== true;
  if (!target.capabilities.severalHosts || launcher === 'none' || isHere) return [];
  const step: LaunchStep = {
    name,
    nodes,
    tasks,
    tasksPerNode: Math.ceil(tasks / nodes),
    cpusPerTask: cpus,
    ...(gpus > 0 ? { gpusPerNode: gpus } : {}),
    ...defined({ hosts }),
    ...stepOptions(place, input),
    environment: [],
    launcherArgs: {},
    overlap: true,
    namesHosts: hosts === undefined && namesHosts(target, launchers[launcher]),
  };
  return launchLine(launcher, [{ step, words: [] }], size, input, problems).words;
}
