import type { Problems, SourceLocation } from '../../diagnostics/index.js';
import {
  byKind,
  type ColocatedDeclaration,
  defined,
  derivedOnce,
  mergeArgs,
  type OrchestratorDeclaration,
  serversOnNode,
  storeLinkVariable,
} from '../../ir/index.js';
import { type LaunchStep, launcherOf } from '../../targets/target.js';
import type { Adds, PlacedGroup, Reads, StoreLaunch } from './compilation.js';
import { choosesHosts, launchLine, siteArgs, stepOptions } from './launch-line.js';
import { colocatedGpus, standaloneGpus } from './lookup/gpus.js';
import { type EntityPlace, placeOf } from './lookup/placed-jobs.js';
import { nodesOfStore, outlivesNodes, sizeOf } from './lookup/visible-stores.js';
import { cpusOfStoreOnNode } from './part-demand.js';

/** Input of the words that start stores. */
type Input = Reads<'experiment' | 'sized' | 'jobs' | 'site' | 'target' | 'launchers'>;

/** The launcher's words for every store, standalone or colocated. */
export function launchStores(input: Input, problems: Problems): Adds<'storeLaunches'> {
  const { experiment, jobs } = input;
  const storeLaunches = new Map<OrchestratorDeclaration | ColocatedDeclaration, StoreLaunch>();
  for (const entity of experiment.entities) {
    const place = placeOf(entity, jobs);
    byKind(entity, {
      orchestrator: (store) => {
        storeLaunches.set(store, storeLaunch(store, standaloneSize(store, input), place, input, problems));
      },
      application: (one) => {
        const { name, colocated } = one;
        if (colocated === undefined) return;
        const { nodes } = place.group;
        const { cpus = 1, at } = colocated;
        const size = { name, at, nodes, tasks: nodes, cpus, gpus: colocatedGpus(experiment, one), hosts: undefined };
        storeLaunches.set(colocated, storeLaunch(colocated, size, place, input, problems));
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
  const nodes = target.capabilities.oneNode ? 1 : nodesOfStore(store);
  // One process on each node starts all servers there.
  return {
    name,
    at,
    nodes,
    tasks: nodes,
    cpus: cpus * serversOnNode(sizeOf(store), nodes),
    gpus: standaloneGpus(experiment, store),
    hosts,
  };
}

/** True if each element of an array, or each of several jobs, has a store of its own. */
function isIndexed({ job: { array, separate } }: EntityPlace): boolean {
  return array !== undefined || separate !== undefined;
}

/** Variables by which a store's process knows its job. */
const ofRuntime = [
  'SIMWRIGHT_JOB',
  'SIMWRIGHT_JOB_ID',
  'SIMWRIGHT_HOSTS',
  'SIMWRIGHT_CPUS_PER_NODE',
  'SIMWRIGHT_STARTED',
  'SIMWRIGHT_SCRIPT_PID',
  storeLinkVariable,
  'PATH',
  'LD_LIBRARY_PATH',
];

/** Launch line in front of a store's processes; empty if it is one process on the script's own host. */
function storeLaunch(
  store: OrchestratorDeclaration | ColocatedDeclaration,
  size: StoreSize,
  place: EntityPlace,
  input: Input,
  problems: Problems,
): StoreLaunch {
  const { target, site, launchers } = input;
  const { name, nodes, tasks, cpus, gpus, hosts } = size;
  const launcher = launcherOf(target, site);
  // The script runs on the job's first node, so a single process there needs no launcher.
  const isFirst = place.index === 0 && place.group.first === 0;
  const isHere = tasks === 1 && hosts === undefined && isFirst && launchers[launcher].startsSingleStores !== true;
  if (!target.capabilities.severalHosts || launcher === 'none' || isHere) return { launch: [] };
  const step: LaunchStep = {
    name,
    nodes,
    tasks,
    tasksPerNode: Math.ceil(tasks / nodes),
    cpusPerTask: cpus,
    ...(gpus > 0 ? { gpusPerNode: gpus } : {}),
    ...defined({ hosts }),
    ...stepOptions(place, input),
    environment: [...(isIndexed(place) ? ['SIMWRIGHT_ARRAY_INDEX'] : []), ...ofRuntime, ...Object.keys(site.env)],
    launcherArgs: mergeArgs(siteArgs(site, launcher, false)),
    cpusOfStores: cpusBefore(store, place),
    overlap: true,
    // A store that dies on one node ends on all, so that its death is noticed, unless other nodes have copies of its data.
    endsTogether: 'transport' in store || !outlivesNodes(store),
    namesHosts: hosts === undefined && choosesHosts(place, launchers[launcher], input, nodes),
  };
  const { words, files = {}, resources } = launchLine(launcher, [{ step, words: [] }], size, input, problems);
  if (resources === undefined) return { launch: [...words] };
  const { file, threadsPerCore } = resources;
  return { launch: [...words], resources: { text: files[file] ?? '', threadsPerCore } };
}

/** CPUs that the stores before one hold on its nodes, where each has to be told others. */
function cpusBefore(store: OrchestratorDeclaration | ColocatedDeclaration, { group }: EntityPlace): number {
  return heldByStores(group).before.get(store) ?? 0;
}

/** CPUs of a node that stores beside an application may hold: the colocated ones on every node, the others on any. */
export function cpusOfStores(group: PlacedGroup): number {
  return heldByStores(group).all;
}

/** CPUs that the stores of a group hold on a node: all of them, and those before each. */
const heldByStores = derivedOnce(({ orchestrators, applications }: PlacedGroup) => {
  const before = new Map<OrchestratorDeclaration | ColocatedDeclaration, number>();
  let all = 0;
  for (const store of [...orchestrators, ...applications.flatMap(({ colocated }) => colocated ?? [])]) {
    before.set(store, all);
    all += cpusOnNode(store);
  }
  return { before, all };
});

function cpusOnNode(store: OrchestratorDeclaration | ColocatedDeclaration): number {
  return 'transport' in store ? (store.cpus ?? 1) : cpusOfStoreOnNode(store);
}
