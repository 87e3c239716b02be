import { counted, type Problems } from '../../diagnostics/index.js';
import { type Allocation, type ApplicationDeclaration, defined, type OrchestratorDeclaration } from '../../ir/index.js';
import { launcherOf } from '../../targets/target.js';
import type { PlacedComponent, PlacedGroup, Reads, Sized } from './compilation.js';
import { queueWords, siteOn, threadsPerCpu, wishOf } from './lookup/queue-of.js';
import { Demand, type DemandInput, most } from './part-demand.js';
import { partNodes } from './part-nodes.js';
import { named } from './part-problems.js';
import { type PartLimits, type PartSize, sharedOwner, sizePart } from './size-part.js';

/** Input of a component's allocation. */
interface AllocationInput extends DemandInput {
  readonly name: string;
  readonly applications: readonly ApplicationDeclaration[];
  readonly orchestrators: readonly OrchestratorDeclaration[];
  /** Number of nodes, if the user gave it. */
  readonly nodes?: number | undefined;
}

/** CPUs per node above which whole nodes are requested, if the site does not say how many cores a node has. */
const guessedCores = 64;

/** A component of a job, without walltime: its nodes, parted into groups, with room for all entities that run at the same time. */
export function allocate(asked: AllocationInput, problems: Problems): PlacedComponent {
  const { batch, applications, orchestrators, target } = asked;
  const wish = wishOf([...applications, ...orchestrators], batch);
  const { requires } = wish;
  const site = siteOn(asked.site, wish);
  const input = { ...asked, site };
  const at = batch?.at ?? applications[0]?.at ?? orchestrators[0]?.at;
  // A launch that is too large by itself has been refused, and makes its job too large.
  const hasRefused = applications.some(({ command }) => problems.hasErrorAt(command.at));
  const refuse = (message: string, hint?: string) => {
    if (!hasRefused) problems.error('PLAN1001', message, at, hint);
  };
  const given = {
    gpus: requires?.gpusPerNode ?? batch?.gpusPerNode,
    memoryMiB: requires?.memoryMiB ?? batch?.memoryMiB,
  };
  const demands = partNodes(input, input).map((part) => new Demand(part, input));
  const hosts = namedHosts(applications, orchestrators, input);
  if (demands.length > 1) refuseHosts(input, problems);
  const parts = sizeParts(demands, hosts.wanted.length, given, input, problems);
  const { cores, gpus, memoryMiB } = site.node;
  const sized = parts.map(({ size }) => size);
  const used = demands.reduce((sum, one) => sum + usedNodes(one), 0);
  const sizedNodes = sized.reduce((sum, { nodes }) => sum + nodes, 0);
  const nodes = Math.max(input.nodes ?? 0, sizedNodes);
  if (input.nodes !== undefined && nodes > Math.max(used, hosts.wanted.length) && !target.capabilities.oneNode) {
    const message = `the job has ${nodes} nodes, and what runs in it at a time uses at most ${used}`;
    const hint = 'lower nodes in .batch(), or spread the tasks with .nodes() of the command';
    problems.warning('PLAN1010', message, at, hint);
  }
  const exclusive =
    batch?.exclusive ?? (cores === undefined && most(sized.map(({ wantedCpus }) => wantedCpus)) > guessedCores);
  const cpusPerNode = most(sized.map((one) => one.cpusPerNode));
  // Nodes that are shared and too small have been refused with all who share them.
  const unshared = parts.filter(({ demand }) => sharedOwner(demand) === undefined).map(({ size }) => size);
  const cpus = most(unshared.map((one) => one.cpusPerNode));
  if (cores !== undefined && cpus > cores) {
    const message = `the job needs ${cpus} CPUs on a node, its stores' included, and site '${site.name}' has ${cores}`;
    refuse(message, 'raise .nodes(), or lower cpus of the store');
  }
  const gpusPerNode = given.gpus ?? most(sized.map((one) => one.gpusPerNode));
  const needed = given.gpus ?? most(unshared.map((one) => one.gpusPerNode));
  if (gpus !== undefined && needed > gpus) {
    refuse(`the job needs ${needed} GPUs a node, and site '${site.name}' has ${gpus}`);
  }
  const memory = given.memoryMiB ?? most(sized.map((one) => one.memoryMiB));
  if (memoryMiB !== undefined && memory > memoryMiB && given.memoryMiB !== undefined) {
    refuse(`the job needs ${memory} MiB a node, and site '${site.name}' has ${memoryMiB}`);
  }
  const account = batch?.account ?? site.defaults.account;
  const allocation: Allocation = {
    nodes,
    ...defined({ cpusPerNode: exclusive ? cores : cpusPerNode }),
    ...(exclusive && cores === undefined ? { leastCpusPerNode: most(sized.map(({ leastCpus }) => leastCpus)) } : {}),
    exclusive,
    ...(gpusPerNode > 0 ? { gpusPerNode } : {}),
    ...(memory > 0 ? { memoryPerNodeMiB: memory } : {}),
    ...defined({ threadsPerCpu: threadsPerCpu(site), account, ...queueWords(asked.site, wish) }),
    ...defined({ reservation: batch?.reservation }),
    ...(hosts.wanted.length === 0 ? {} : { hosts: hosts.wanted }),
    ...(hosts.refused.length === 0 ? {} : { excludeHosts: hosts.refused }),
  };
  const sharesOutNodes = demands.length > 1 || demands.some((one) => one.sharesOutNodes(nodes));
  return { allocation, applications, orchestrators, sharesOutNodes, groups: groupsOf(parts, nodes) };
}

/** A part, and its size. */
interface SizedPart {
  readonly demand: Demand;
  readonly size: PartSize;
}

/** The sizes of all parts. The one that has asked for nothing gets the nodes that the others leave, or else the first that can use them. */
function sizeParts(
  demands: readonly Demand[],
  hosts: number,
  given: { readonly gpus: number | undefined; readonly memoryMiB: number | undefined },
  input: AllocationInput,
  problems: Problems,
): readonly SizedPart[] {
  const { site, target, launchers, nodes: total } = input;
  const { cores = Number.POSITIVE_INFINITY, gpus = Number.POSITIVE_INFINITY } = site.node;
  const isOne = demands.length === 1;
  const { storesCpus } = launchers[launcherOf(target, site)];
  const limits = (nodes: number | undefined, others: number): PartLimits => ({
    nodes,
    atLeast: isOne ? hosts : 0,
    maxNodes: Math.max(1, (site.maxNodes ?? Number.POSITIVE_INFINITY) - others),
    node: {
      cpus: cores,
      gpus: given.gpus ?? gpus,
      memoryMiB: given.memoryMiB ?? site.node.memoryMiB ?? Number.POSITIVE_INFINITY,
    },
    isExclusive: input.batch?.exclusive === true,
    storesCpus: isOne ? storesCpus : storesCpus === 'hold' ? 'hold' : undefined,
  });
  const taker = demands.find(({ part }) => part.owner === undefined) ?? demands.find(canUseMore);
  const others = demands.filter((one) => one !== taker);
  const sizes = new Map(others.map((one) => [one, sizePart(one, limits(undefined, 0), problems)]));
  const taken = [...sizes.values()].reduce((sum, { nodes }) => sum + nodes, 0);
  if (taker !== undefined) {
    const rest = total === undefined ? undefined : Math.max(1, total - taken);
    sizes.set(taker, sizePart(taker, limits(rest, taken), problems));
    if (isOne && rest !== undefined) refuseFew(taker, rest, hosts, input, problems);
  }
  const parts = demands.map((demand) => ({ demand, size: sizes.get(demand) as PartSize }));
  if (total === undefined) return parts;
  const needs = parts.map(({ demand, size: { nodes } }) =>
    demand === taker && !isOne ? Math.max(demand.widest(), demand.apart()) : nodes,
  );
  if (needs.reduce((sum, one) => sum + one, 0) > total) refuseTotal(parts, needs, total, input, problems);
  return parts;
}

/** True if a part can use more nodes than its widest launch takes. */
function canUseMore(demand: Demand): boolean {
  const owner = sharedOwner(demand);
  if (owner === undefined)
    return demand.part.owner === undefined || demand.part.applications.some((one) => demand.isFlexible(one));
  return demand.part.applications.some((one) => one === owner && demand.isFlexible(one));
}

/** Nodes of a part that something uses at a time. */
function usedNodes(demand: Demand): number {
  const owner = sharedOwner(demand);
  return owner === undefined || canUseMore(demand) ? demand.used() : demand.widest();
}

/** Reports hosts that the user has named: which nodes are whose is known by their order in the job alone. */
function refuseHosts({ applications, orchestrators, sized }: AllocationInput, problems: Problems): void {
  for (const { name, hosts, at } of [
    ...orchestrators,
    ...applications.flatMap((one) =>
      (sized.get(one) as Sized).launches.flatMap(({ programs }) =>
        programs.map(({ command }) => ({ name: one.name, hosts: command.hosts, at: command.at })),
      ),
    ),
  ]) {
    if (hosts === undefined) continue;
    const message = `'${name}' names its hosts, and others of its job have nodes of their own: a host may be one of theirs`;
    const hint = 'leave out the hosts, or give it a job of its own with .batch()';
    problems.error('PLAN1006', message, at, hint);
  }
}

/** Reports a job that has fewer nodes than what runs in it at a time needs. */
function refuseFew(
  demand: Demand,
  nodes: number,
  hosts: number,
  { batch, applications, orchestrators }: AllocationInput,
  problems: Problems,
): void {
  const at = batch?.at ?? applications[0]?.at ?? orchestrators[0]?.at;
  const widest = Math.max(demand.widest(), hosts);
  const apart = demand.apart();
  if (nodes < widest) {
    const wide = applications.find((one) => demand.facts(one).size.nodes > nodes) ?? orchestrators[0];
    const message = `'${wide?.name}' needs ${widest} nodes, and its job has ${nodes}`;
    problems.error('PLAN1001', message, at, 'raise nodes in .batch()');
  } else if (nodes < apart) {
    const message = `what runs at a time needs ${apart} nodes, since each launch has its own, and the job has ${nodes}`;
    const hint = "raise nodes in .batch(), or have one wait for the other's end with .after()";
    problems.error('PLAN1001', message, at, hint);
  }
}

/** Reports that a job has fewer nodes than its parts need, and what each of them needs. */
function refuseTotal(
  parts: readonly SizedPart[],
  needs: readonly number[],
  total: number,
  { name, batch, site, target, launchers }: AllocationInput,
  problems: Problems,
): void {
  const needed = needs.reduce((sum, one) => sum + one, 0);
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) {
    const { owner } = first.demand.part;
    if (owner === undefined) return;
    const message = `'${owner.name}' needs ${counted(needed, 'node')}, and its job has ${total}`;
    problems.error('PLAN1001', message, batch?.at ?? owner.at, 'raise nodes in .batch()');
    return;
  }
  const each = parts.map(({ demand: { part } }, index) => {
    const who = [...part.orchestrators, ...part.applications];
    return `${needs[index]} for ${who.length > 4 ? `${who.length} others` : named(who)}`;
  });
  const message = `job '${name}' needs ${needed} nodes and has ${total}: ${each.join(', ')}`;
  // A launcher that gives each launch nodes of its own shares none.
  const shares = launchers[launcherOf(target, site)].sharesNodes;
  const instead = shares ? 'let some share nodes' : "let one wait for another's end with .after()";
  problems.error('PLAN1001', message, batch?.at, `raise nodes in .batch() to ${needed}, or ${instead}`);
}

/** The groups of a component, one after the other; at its end the nodes that nobody uses. */
function groupsOf(parts: readonly SizedPart[], nodes: number): PlacedComponent['groups'] {
  let first = 0;
  const groups: PlacedGroup[] = parts.map(({ demand: { part }, size }) => {
    const group = { first, nodes: size.nodes, nodesApart: size.nodesApart, atMost: size.atMost };
    first += size.nodes;
    return { ...group, applications: part.applications, orchestrators: part.orchestrators };
  });
  if (first < nodes) {
    groups.push({ first, nodes: nodes - first, nodesApart: 0, atMost: new Map(), applications: [], orchestrators: [] });
  }
  return groups as [PlacedGroup, ...PlacedGroup[]];
}

function namedHosts(
  applications: readonly ApplicationDeclaration[],
  orchestrators: readonly OrchestratorDeclaration[],
  { sized }: Reads<'sized'>,
): { readonly wanted: string[]; readonly refused: string[] } {
  const commands = applications.flatMap((one) =>
    (sized.get(one) as Sized).launches.flatMap(({ programs }) => programs.map(({ command }) => command)),
  );
  const wanted = [
    ...new Set([...commands.flatMap(({ hosts }) => hosts ?? []), ...orchestrators.flatMap(({ hosts }) => hosts ?? [])]),
  ];
  const refused = [...new Set(commands.flatMap(({ excludeHosts }) => excludeHosts ?? []))];
  return { wanted, refused: refused.filter((host) => !wanted.includes(host)) };
}
