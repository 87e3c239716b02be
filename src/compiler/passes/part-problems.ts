import { counted, type Problems, type SourceLocation } from '../../diagnostics/index.js';
import { type ApplicationDeclaration, byKind, type EntityDeclaration } from '../../ir/index.js';
import type { Amounts } from './lookup/packing.js';
import { nodesOfStore } from './lookup/visible-stores.js';
import { cpusOfStoreOnNode, type Demand } from './part-demand.js';

/** Nodes of those that have to run at the same time. `overlaps`: stores hold nothing of them; `holdsGpus`: GPUs as well as CPUs. */
interface Held {
  readonly nodes: number;
  readonly node: Amounts;
  readonly overlaps: boolean;
  readonly holdsGpus: boolean;
}

/** Applications that have to run at the same time, and their nodes. */
interface Meeting extends Held {
  readonly set: readonly ApplicationDeclaration[];
}

/** Reports that some applications have to run at the same time, and that the nodes hold no member of each at once. */
export function refuseMeeting(demand: Demand, { set, ...held }: Meeting, problems: Problems): void {
  const { nodes, node, overlaps, holdsGpus } = held;
  const message = `${named(set)} read each other's keys, so they have to run at the same time, and cannot: ${[
    ...set.map((one) => takes(demand, one)),
    ...(overlaps ? [] : holders(demand, holdsGpus)),
  ].join(', ')}, and they have ${described(nodes, node)}`;
  const hint = 'raise nodes in .batch(), or lower what one of them takes: .tasks(), .cpusPerTask(), .gpusPerNode()';
  problems.error('PLAN1013', message, meetingPlace(set), hint);
}

/** Reports that several sets, of each of which all have to run at the same time, may keep each other waiting. */
export function refuseCircles(demand: Demand, { set, ...held }: Meeting, problems: Problems): void {
  const { nodes, node, overlaps, holdsGpus } = held;
  const message = `${named(set)} wait for keys of each other in several circles that may run at the same time, and each may hold what another waits for: ${[
    ...set.map((one) => takes(demand, one)),
    ...(overlaps ? [] : holders(demand, holdsGpus)),
  ].join(', ')}, and they have ${described(nodes, node)}`;
  const hint = "raise nodes in .batch(), or let one circle wait for another's end with .after()";
  problems.error('PLAN1013', message, meetingPlace(set), hint);
}

/** Reports that an application can never start, since stores hold what it needs. */
export function refuseStart(
  demand: Demand,
  application: ApplicationDeclaration,
  { nodes, node, holdsGpus }: Held,
  problems: Problems,
): void {
  const message = `'${application.name}' can never start: ${[takes(demand, application), ...holders(demand, holdsGpus)].join(', ')}, and they have ${described(nodes, node)}`;
  const hint =
    'lower what the one or the other takes, raise nodes in .batch(), or give a standalone store nodes of its own: apart: true';
  problems.error('PLAN1013', message, application.at, hint);
}

/** Reports partners that have more nodes than the owner, and nodes that are too small for all that share them. */
export function refuseSharing(demand: Demand, sum: Amounts, nodes: number, node: Amounts, problems: Problems): void {
  const { part, input } = demand;
  const { owner } = part;
  for (const application of part.applications) {
    const { size, ownsNodes } = demand.facts(application);
    const { sharesNodesWith } = application;
    if (ownsNodes) {
      const message = `'${application.name}' shares its nodes, and its launcher runs nothing beside it there`;
      const hint = 'leave out .sharesNodesWith(), or name a launcher with .launcher() that shares nodes';
      problems.error('PLAN1006', message, sharesNodesWith?.at ?? application.at, hint);
    }
    if (application === owner || size.nodes <= nodes || sharesNodesWith === undefined) continue;
    const message = `.sharesNodesWith('${sharesNodesWith.name}'): '${application.name}' runs on ${counted(size.nodes, 'node')}, and '${owner?.name}' has ${nodes}`;
    const hint = `lower .nodes() of '${application.name}', or raise those of '${owner?.name}'`;
    problems.error('PLAN1006', message, sharesNodesWith.at, hint);
  }
  const at = part.applications.find((one) => one.sharesNodesWith !== undefined)?.sharesNodesWith?.at;
  const resources: readonly [key: keyof Amounts, noun: (amount: number) => string][] = [
    ['cpus', (amount) => counted(amount, 'CPU')],
    ['gpus', (amount) => counted(amount, 'GPU')],
    ['memoryMiB', (amount) => `${amount} MiB`],
  ];
  for (const [key, noun] of resources) {
    if (sum[key] <= node[key]) continue;
    const message = `${named([...part.orchestrators, ...part.applications])} share nodes and need ${noun(sum[key])} on each (${shares(demand, key).join(', ')}), and a node of site '${input.site.name}' has ${node[key]}`;
    const hint =
      "raise .nodes() of the one whose nodes they are, lower what one takes, or let one wait for the other's end with .after()";
    problems.error('PLAN1006', message, at, hint);
  }
}

/** The share of each entity and store in what a node needs. */
function shares(demand: Demand, key: keyof Amounts): string[] {
  const { applications, orchestrators } = demand.part;
  const amounts: [name: string, amount: number][] = applications.map((one) => [
    `'${one.name}'`,
    demand.piece(one).onNode[key],
  ]);
  if (key === 'cpus') {
    for (const one of orchestrators) amounts.push([`store '${one.name}'`, cpusOfStoreOnNode(one)]);
    for (const { name, colocated } of applications) {
      if (colocated !== undefined) amounts.push([`the store of '${name}'`, colocated.cpus ?? 1]);
    }
  }
  return amounts.filter(([, amount]) => amount > 0).map(([name, amount]) => `${name} ${amount}`);
}

function takes(demand: Demand, application: ApplicationDeclaration): string {
  const { nodes, onNode, wholeNodes } = demand.piece(application);
  const amounts = [
    counted(onNode.cpus, 'CPU'),
    ...(onNode.gpus > 0 ? [counted(onNode.gpus, 'GPU')] : []),
    ...(onNode.memoryMiB > 0 ? [`${onNode.memoryMiB} MiB`] : []),
  ];
  const what = wholeNodes ? counted(nodes, 'whole node') : `${amounts.join(' and ')} on ${nodesOf(nodes)}`;
  const who = application.kind === 'ensemble' ? `a member of '${application.name}'` : `'${application.name}'`;
  return `${who} takes ${what}`;
}

/** The stores of a part, with the CPUs that each holds, and the GPUs where it holds them too. */
function holders(demand: Demand, holdsGpus: boolean): string[] {
  const { applications, orchestrators } = demand.part;
  const amounts = (cpus: number, gpus: number) =>
    [counted(cpus, 'CPU'), ...(holdsGpus && gpus > 0 ? [counted(gpus, 'GPU')] : [])].join(' and ');
  return [
    ...orchestrators.map((one) => {
      const held = amounts(cpusOfStoreOnNode(one), demand.gpusOfStore(one));
      return `store '${one.name}' holds ${held} on ${nodesOf(nodesOfStore(one))}`;
    }),
    ...applications.flatMap((one) => {
      if (one.colocated === undefined) return [];
      const held = amounts(one.colocated.cpus ?? 1, demand.gpusOfColocated(one));
      return [`the store of '${one.name}' holds ${held} on each node`];
    }),
  ];
}

function nodesOf(count: number): string {
  return count === 1 ? 'one node' : `each of ${count} nodes`;
}

function described(nodes: number, { cpus, gpus, memoryMiB }: Amounts): string {
  const amounts = [
    ...(Number.isFinite(cpus) ? [counted(cpus, 'CPU')] : []),
    ...(Number.isFinite(gpus) ? [counted(gpus, 'GPU')] : []),
    ...(Number.isFinite(memoryMiB) ? [`${memoryMiB} MiB`] : []),
  ];
  return counted(nodes, 'node') + (amounts.length === 0 ? '' : ` of ${amounts.join(', ')}`);
}

/** The names of entities: `'a', 'b' and 'c'`. */
export function named(entities: readonly EntityDeclaration[]): string {
  const names = entities.map(
    (one) => `${byKind(one, { application: () => '', orchestrator: () => 'store ' })}'${one.name}'`,
  );
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** The place of the call by which one of the applications reads keys of another. */
function meetingPlace(set: readonly ApplicationDeclaration[]): SourceLocation | undefined {
  const names = new Set(set.map(({ name }) => name));
  const calls = set.flatMap(({ incoming }) => incoming).filter(({ name }) => names.has(name));
  return calls.at(-1)?.at ?? set[0]?.at;
}
