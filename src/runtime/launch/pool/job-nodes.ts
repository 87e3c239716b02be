import { coresIn, gpusOfStore, type Job, type Plan, type Store, serversOnNode } from '../../../ir/index.js';
import { launcherOfProgram } from '../../../targets/launchers/index.js';
import { queriesOf } from '../../../targets/schedulers.js';
import { hostPositions, positionOf } from '../../job/hosts.js';
import type { JobEnvironment } from '../../job/job-environment.js';
import { visibleDevices } from '../../job/visible-devices.js';
import type { PoolNode } from './room.js';

/** CPUs of a node that nobody has counted: so many that they are never the reason to wait. */
const uncountedCpus = 1_000_000;

/** CPUs and GPUs that a store's processes have on a node, and the nodes. */
interface StoreShare {
  readonly nodes: readonly number[];
  readonly cpus: number;
  readonly gpus: readonly number[];
}

/** The nodes of a job, in the order of its hosts, with what its stores leave to members. */
export function jobNodes(
  job: Pick<JobEnvironment, 'hosts' | 'cpusPerNode'>,
  plan: Plan,
  planned: Job,
  env: NodeJS.ProcessEnv,
): PoolNode[] {
  const visible = visibleDevices(env, plan.gpuMaker);
  const told = queriesOf[plan.target]?.hostCpus?.(env) ?? [];
  const hostCpus = told.length === job.hosts.length ? told : [];
  const nodes = job.hosts.map((name) => ({
    name,
    cpus: uncountedCpus,
    sharedCpus: 0,
    memoryMiB: undefined as number | undefined,
    gpus: [] as number[],
    heldCores: [] as number[],
  }));
  const allocations = [planned.allocation, ...planned.components];
  for (const [group, { component }] of planned.groups.entries()) {
    const allocation = allocations[component] ?? planned.allocation;
    const { cpusPerNode, gpusPerNode = 0, memoryPerNodeMiB } = allocation;
    // The job's own numbers are those of its first host, and so of the first component.
    const isFirst = component === 0;
    const cpus = (isFirst ? job.cpusPerNode : undefined) ?? cpusPerNode ?? uncountedCpus;
    const gpus = isFirst && visible !== undefined ? visible.length : gpusPerNode;
    for (const position of hostPositions(job, planned, group)) {
      const node = nodes[position];
      if (node === undefined) continue;
      const ofHost = hostCpus[position];
      node.cpus = ofHost === undefined ? cpus : coresIn(ofHost, allocation);
      node.memoryMiB = memoryPerNodeMiB;
      node.gpus = Array.from({ length: gpus }, (_, gpu) => gpu);
    }
  }
  for (const store of plan.stores.filter(({ name }) => planned.stores.includes(name))) {
    const share = storeShare(store, job, planned);
    for (const node of share.nodes.flatMap((position) => nodes[position] ?? [])) {
      if (overlapsStore(store, planned)) {
        node.sharedCpus += share.cpus;
        continue;
      }
      node.cpus = Math.max(0, node.cpus - share.cpus);
      node.gpus = node.gpus.filter((gpu) => !share.gpus.includes(gpu));
      node.heldCores.push(...coresOfStore(store));
    }
  }
  return nodes;
}

/** True if launches use the CPUs and GPUs of a store as well where there are no others, as the compiler has reckoned: their launcher overlaps stores. */
export function overlapsStore({ launch, group }: Store, { groups }: Job): boolean {
  const { component } = groups[group] ?? { component: 0 };
  const isOne = groups.filter((one) => one.component === component).length <= 1;
  return isOne && launcherOfProgram(launch[0])?.storesCpus === 'overlap';
}

/** Numbers of the CPUs of a store's node that its launcher is told. */
function coresOfStore({ launch, resources }: Store): readonly number[] {
  if (resources === undefined) return [];
  return launcherOfProgram(launch[0])?.resources?.cores(resources.text, resources.threadsPerCore).numbers ?? [];
}

function storeShare(store: Store, job: Pick<JobEnvironment, 'hosts' | 'cpusPerNode'>, planned: Job): StoreShare {
  const ofGroup = hostPositions(job, planned, store.group);
  const gpus = gpusOfStore(store);
  if (store.kind === 'colocated') return { nodes: ofGroup, cpus: store.cpus, gpus };
  // Without a launch line it runs where the script does.
  if (store.launch.length === 0) return { nodes: [0], cpus: store.cpus, gpus };
  const named = store.hosts?.flatMap((name) => positionOf(name, job.hosts) ?? []);
  const nodes = (named ?? ofGroup).slice(0, store.nodes);
  return { nodes, cpus: store.cpus * serversOnNode(store, nodes.length), gpus };
}
