import type { Problems } from '../../diagnostics/index.js';
import {
  type Allocation,
  type ApplicationDeclaration,
  type BatchDeclaration,
  defined,
  type OrchestratorDeclaration,
} from '../../ir/index.js';
import type { Reads, Sized, StepSize } from './compilation.js';
import { colocatedGpus, standaloneGpus } from './lookup/gpus.js';
import { atOnce, isSplit, mostNodes, ownNodes } from './lookup/members-at-once.js';
import { EndOrder } from './lookup/order.js';
import { queueWords, siteOn, threadsPerCpu, wishOf } from './lookup/queue-of.js';
import { shardsOf } from './lookup/visible-stores.js';

/** An allocation, and the nodes that are taken at the same time by launches that have nodes of their own. */
export type Allocated = Allocation & { readonly nodesApart: number };

/** Input of a component's allocation. */
interface AllocationInput extends Reads<'experiment' | 'sized' | 'site' | 'target'> {
  readonly batch: BatchDeclaration | undefined;
  readonly applications: readonly ApplicationDeclaration[];
  readonly orchestrators: readonly OrchestratorDeclaration[];
  /** Number of nodes, if the user gave it. */
  readonly nodes?: number | undefined;
  /** Members in each element of a job array. */
  readonly perElement: number;
}

/** CPUs per node above which whole nodes are requested, if the site does not say how many cores a node has. */
const guessedCores = 64;

/** An allocation, without walltime, that has room for all entities that run at the same time. */
export function allocate(input: AllocationInput, problems: Problems): Allocated {
  const { experiment, batch, applications, orchestrators, sized } = input;
  const facts = (application: ApplicationDeclaration) => sized.get(application) as Sized;
  const wish = wishOf([...applications, ...orchestrators], batch);
  const { requires } = wish;
  const site = siteOn(input.site, wish);
  const demand = (amount: (size: StepSize) => number) => (application: ApplicationDeclaration) => {
    const { launches, members } = facts(application);
    const oneEach = launches.reduce((sum, { size }) => sum + amount(size), 0);
    // Members added by hand start at the same time.
    return launches.length > 1
      ? oneEach * (isSplit(application) ? 1 : members.replicas)
      : oneEach * atOnce(application, batch, members);
  };
  const colocatedOf = ({ colocated }: ApplicationDeclaration) => (colocated === undefined ? 0 : (colocated.cpus ?? 1));
  const colocatedCpus = applications.reduce((sum, one) => sum + colocatedOf(one), 0);
  const storeCpus = orchestrators.reduce((sum, one) => sum + (one.cpus ?? 1) * shardsOf(one), 0);
  const order = new EndOrder(applications);
  const peak = order.peak(demand((size) => size.tasks * size.cpusPerTask)) + storeCpus;
  const peakGpus = order.peak(
    demand(({ gpusPerNode, gpusPerTask, nodes, tasks }) =>
      gpusPerNode === undefined ? (gpusPerTask ?? 0) * tasks : gpusPerNode * nodes,
    ),
  );
  const { cores, gpus } = site.node;
  const used =
    order.peak((one) => mostNodes(one, batch, facts(one), input.perElement)) +
    orchestrators.reduce((sum, one) => sum + (one.nodes ?? shardsOf(one)), 0);
  const hosts = namedHosts(applications, orchestrators, facts);
  const widest = most([
    1,
    ...applications.map((one) => facts(one).size.nodes),
    ...orchestrators.map((one) => one.nodes ?? shardsOf(one)),
    hosts.wanted.length,
  ]);
  // Launches that do not share nodes need nodes beside each other.
  const apart = order.peak((one) => ownNodes(one, facts(one)));
  const fitting = Math.max(
    apart,
    cores === undefined ? 1 : Math.ceil(peak / Math.max(1, cores - colocatedCpus)),
    gpus === undefined || gpus === 0 ? 1 : Math.ceil(peakGpus / gpus),
  );
  const nodes =
    input.nodes ?? Math.min(Math.max(widest, fitting), Math.max(widest, site.maxNodes ?? Number.POSITIVE_INFINITY));
  const at = batch?.at ?? applications[0]?.at ?? orchestrators[0]?.at;
  const refuse = (message: string, hint?: string) => problems.error('PLAN1001', message, at, hint);
  if (nodes < widest) {
    const wide = applications.find((one) => facts(one).size.nodes > nodes) ?? orchestrators[0];
    refuse(`'${wide?.name}' needs ${widest} nodes, and its job has ${nodes}`, 'raise nodes in .batch()');
  }
  if (nodes >= widest && nodes < apart) {
    const message = `what runs at a time needs ${apart} nodes, since each launch has its own, and the job has ${nodes}`;
    refuse(message, "raise nodes in .batch(), or have one wait for the other's end with .after()");
  }
  if (input.nodes !== undefined && nodes > Math.max(used, hosts.wanted.length) && !input.target.capabilities.oneNode) {
    const message = `the job has ${nodes} nodes, and what runs in it at a time uses at most ${used}`;
    const hint = 'lower nodes in .batch(), or spread the tasks with .nodes() of the command';
    problems.warning('PLAN1010', message, at, hint);
  }
  const wanted = Math.ceil(peak / nodes) + colocatedCpus;
  const exclusive = batch?.exclusive ?? (cores === undefined && wanted > guessedCores);
  // The part of a step, or of a store, that runs on one node has to fit there.
  const cpusPerNode = most([
    Math.min(wanted, cores ?? Number.POSITIVE_INFINITY),
    ...applications.map((one) => facts(one).size.tasksPerNode * facts(one).size.cpusPerTask + colocatedOf(one)),
    ...orchestrators.map(({ cpus }) => cpus ?? 1),
  ]);
  if (cores !== undefined && cpusPerNode > cores) {
    const message = `the job needs ${cpusPerNode} CPUs on a node, its stores' included, and site '${site.name}' has ${cores}`;
    refuse(message, 'raise .nodes(), or lower cpus of the store');
  }
  const gpusPerNode =
    requires?.gpusPerNode ??
    batch?.gpusPerNode ??
    most([
      // More GPUs than one member needs are requested only if the site says that nodes have them.
      gpus === undefined ? 0 : Math.min(gpus, Math.ceil(peakGpus / nodes)),
      ...applications.map((one) => gpusOnNode(facts(one).size)),
      ...applications.map((one) => colocatedGpus(experiment, one)),
      ...orchestrators.map((one) => standaloneGpus(experiment, one)),
    ]);
  if (gpus !== undefined && gpusPerNode > gpus) {
    refuse(`the job needs ${gpusPerNode} GPUs a node, and site '${site.name}' has ${gpus}`);
  }
  const given = requires?.memoryMiB ?? batch?.memoryMiB;
  const memory = given ?? most(applications.map((one) => facts(one).size.memoryPerNodeMiB ?? 0));
  const { memoryMiB } = site.node;
  if (memoryMiB !== undefined && memory > memoryMiB && given !== undefined) {
    refuse(`the job needs ${memory} MiB a node, and site '${site.name}' has ${memoryMiB}`);
  }
  const account = batch?.account ?? site.defaults.account;
  return {
    nodesApart: apart,
    nodes,
    ...defined({ cpusPerNode: exclusive ? cores : cpusPerNode }),
    exclusive,
    ...(gpusPerNode > 0 ? { gpusPerNode } : {}),
    ...(memory > 0 ? { memoryPerNodeMiB: memory } : {}),
    ...defined({ threadsPerCpu: threadsPerCpu(site), account, ...queueWords(input.site, wish) }),
    ...defined({ reservation: batch?.reservation }),
    ...(hosts.wanted.length === 0 ? {} : { hosts: hosts.wanted }),
    ...(hosts.refused.length === 0 ? {} : { excludeHosts: hosts.refused }),
  };
}

/** The largest amount; 0 for an empty list. `Math.max` would take no list of any length. */
function most(amounts: readonly number[]): number {
  return amounts.reduce((largest, one) => Math.max(largest, one), 0);
}

function namedHosts(
  applications: readonly ApplicationDeclaration[],
  orchestrators: readonly OrchestratorDeclaration[],
  facts: (application: ApplicationDeclaration) => Sized,
): { readonly wanted: string[]; readonly refused: string[] } {
  const commands = applications.flatMap((one) =>
    facts(one).launches.flatMap(({ programs }) => programs.map(({ command }) => command)),
  );
  const wanted = [
    ...new Set([...commands.flatMap(({ hosts }) => hosts ?? []), ...orchestrators.flatMap(({ hosts }) => hosts ?? [])]),
  ];
  const refused = [...new Set(commands.flatMap(({ excludeHosts }) => excludeHosts ?? []))];
  return { wanted, refused: refused.filter((host) => !wanted.includes(host)) };
}

function gpusOnNode({ gpusPerNode, gpusPerTask, tasksPerNode }: StepSize): number {
  return gpusPerNode ?? (gpusPerTask ?? 0) * tasksPerNode;
}
