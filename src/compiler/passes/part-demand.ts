import {
  type ApplicationDeclaration,
  type BatchDeclaration,
  type OrchestratorDeclaration,
  serversOnNode,
} from '../../ir/index.js';
import type { Reads, Sized, StepSize } from './compilation.js';
import { colocatedGpus, standaloneGpus } from './lookup/gpus.js';
import { atOnce, isSplit, launchesAtOnce, mostNodes, ownNodes } from './lookup/members-at-once.js';
import type { EndOrder } from './lookup/order.js';
import type { Amounts, Piece } from './lookup/packing.js';
import { nodesOfStore, outlivesNodes, sizeOf } from './lookup/visible-stores.js';
import type { NodePart } from './part-nodes.js';

/** Facts about the job that a part's demand depends on. */
export interface DemandInput extends Reads<'experiment' | 'sized' | 'site' | 'target' | 'launchers'> {
  readonly batch: BatchDeclaration | undefined;
  /** The order of all applications of the job. */
  readonly order: EndOrder;
  /** Applications of the job. */
  readonly all: readonly ApplicationDeclaration[];
  /** Members in each element of a job array. */
  readonly perElement: number;
}

/** Resources that the entities of a part take. Peaks are those of what may run at the same time. */
export class Demand {
  readonly #here: ReadonlySet<ApplicationDeclaration>;

  constructor(
    readonly part: NodePart,
    readonly input: DemandInput,
  ) {
    this.#here = new Set(part.applications);
  }

  facts(application: ApplicationDeclaration): Sized {
    return this.input.sized.get(application) as Sized;
  }

  /**
   * CPUs of all members that run at the same time, and of standalone stores; not of colocated ones, which every node has. `on`: number of nodes,
   * where it is known.
   */
  peakCpus(on = Number.POSITIVE_INFINITY): number {
    return this.#peak(this.#ofMembers((size) => size.tasks * size.cpusPerTask, on)) + this.storeCpus();
  }

  peakGpus(on = Number.POSITIVE_INFINITY): number {
    return this.#peak(
      this.#ofMembers(
        ({ gpusPerNode, gpusPerTask, nodes, tasks }) =>
          gpusPerNode === undefined ? (gpusPerTask ?? 0) * tasks : gpusPerNode * nodes,
        on,
      ),
    );
  }

  /** GPUs of one member each of all that may run at the same time. */
  peakGpusOfOneEach(): number {
    return this.#peak((one) => gpusOnNode(this.facts(one).size) * this.facts(one).size.nodes);
  }

  storeCpus(): number {
    return this.part.orchestrators.reduce((sum, one) => sum + (one.cpus ?? 1) * serversOnNode(sizeOf(one), 1), 0);
  }

  /** CPUs that colocated stores hold on each node. */
  colocatedCpus(): number {
    return this.part.applications.reduce((sum, one) => sum + colocatedCpus(one), 0);
  }

  /** Most nodes that are used at the same time, if no two launches or stores share one. */
  used(): number {
    const { batch, perElement } = this.input;
    const ofStores = this.part.orchestrators.reduce((sum, one) => sum + nodesOfStore(one), 0);
    return this.#peak((one) => mostNodes(one, batch, this.facts(one), perElement)) + ofStores;
  }

  /** True if several launches and stores that may run at the same time have some of so many nodes to choose from. */
  sharesOutNodes(nodes: number): boolean {
    const { batch, perElement } = this.input;
    const { applications, orchestrators } = this.part;
    // Only its launcher knows the nodes that such a job has lost.
    if (orchestrators.some(outlivesNodes)) return false;
    const stores = orchestrators.filter((one) => nodesOfStore(one) < nodes).length;
    const isNarrow = applications.some((one) => this.facts(one).launches.some(({ size }) => size.nodes < nodes));
    const launches = isNarrow ? this.#peak((one) => launchesAtOnce(one, batch, this.facts(one), perElement)) : 0;
    return launches + stores > 1;
  }

  /** Nodes of launches that have theirs to themselves, at the same time. */
  apart(): number {
    return this.#peak((one) => ownNodes(one, this.facts(one)));
  }

  /** The most nodes that one launch, or one store, runs on. */
  widest(): number {
    const { applications, orchestrators } = this.part;
    return most([1, ...applications.map((one) => this.facts(one).size.nodes), ...orchestrators.map(nodesOfStore)]);
  }

  /** CPUs that the widest step, or store, takes on one of its nodes. */
  cpusOfOne(): number {
    const { applications, orchestrators } = this.part;
    return most([
      ...applications.map((one) => cpusOnNode(this.facts(one).size) + colocatedCpus(one)),
      ...orchestrators.map(({ cpus }) => cpus ?? 1),
    ]);
  }

  /** GPUs that one step, or one store, needs on a node. */
  gpusOfOne(): number {
    const { experiment } = this.input;
    const { applications, orchestrators } = this.part;
    return most([
      ...applications.map((one) => gpusOnNode(this.facts(one).size)),
      ...applications.map((one) => colocatedGpus(experiment, one)),
      ...orchestrators.map((one) => standaloneGpus(experiment, one)),
    ]);
  }

  memoryOfOne(): number {
    return most(this.part.applications.map((one) => this.facts(one).size.memoryPerNodeMiB ?? 0));
  }

  /**
   * Amounts that all entities take together on one node, a member of each: the most that may run at the same time, stores included.
   * `holdsGpus`: stores keep their GPUs from the others.
   */
  sumOnNode(holdsGpus: boolean): Amounts {
    const { orchestrators } = this.part;
    const stores = orchestrators.reduce((sum, one) => sum + cpusOfStoreOnNode(one), 0) + this.colocatedCpus();
    const peakOf = (amount: (size: StepSize) => number) => this.#peak((one) => amount(this.facts(one).size));
    return {
      cpus: peakOf(cpusOnNode) + stores,
      gpus: Math.max(peakOf(gpusOnNode) + (holdsGpus ? this.gpusOfStores() : 0), this.gpusOfOne()),
      memoryMiB: peakOf((size) => size.memoryPerNodeMiB ?? 0),
    };
  }

  /** One member of an application. */
  piece(application: ApplicationDeclaration): Piece {
    const { size, ownsNodes } = this.facts(application);
    const { nodes, memoryPerNodeMiB: memoryMiB = 0 } = size;
    return { nodes, wholeNodes: ownsNodes, onNode: { cpus: cpusOnNode(size), gpus: gpusOnNode(size), memoryMiB } };
  }

  /**
   * Nodes with these amounts, less what stores hold there: colocated ones on every node, others on the first ones. `holdsGpus`: a store keeps
   * the GPUs of its models from everything else.
   */
  nodesLeft(count: number, whole: Amounts, holdsGpus: boolean): Amounts[] {
    const { cpus, gpus } = this.heldOnEachNode();
    const left = Array.from({ length: count }, () => ({
      ...whole,
      cpus: whole.cpus - cpus,
      gpus: whole.gpus - (holdsGpus ? gpus : 0),
    }));
    for (const store of this.part.orchestrators) {
      for (const node of left.slice(0, nodesOfStore(store))) {
        node.cpus -= cpusOfStoreOnNode(store);
        if (holdsGpus) node.gpus -= this.gpusOfStore(store);
      }
    }
    return left;
  }

  /** CPUs of the colocated stores, and GPUs of their models. */
  heldOnEachNode(): Pick<Amounts, 'cpus' | 'gpus'> {
    const { applications } = this.part;
    return {
      cpus: this.colocatedCpus(),
      gpus: applications.reduce((sum, one) => sum + colocatedGpus(this.input.experiment, one), 0),
    };
  }

  /** GPUs of all stores' models on a node that has one process of each. */
  gpusOfStores(): number {
    const standalone = this.part.orchestrators.reduce((sum, one) => sum + this.gpusOfStore(one), 0);
    return this.heldOnEachNode().gpus + standalone;
  }

  /** GPUs of a standalone store's models on each of its nodes. */
  gpusOfStore(store: OrchestratorDeclaration): number {
    return standaloneGpus(this.input.experiment, store);
  }

  /** GPUs of the models of the store that is colocated with an application. */
  gpusOfColocated(application: ApplicationDeclaration): number {
    return colocatedGpus(this.input.experiment, application);
  }

  /** True if several members of an application run at the same time: they can use more nodes than one takes. */
  isFlexible(application: ApplicationDeclaration): boolean {
    const { launches, members } = this.facts(application);
    return !isSplit(application) && (launches.length > 1 || atOnce(application, this.input.batch, members) > 1);
  }

  #peak(demand: (application: ApplicationDeclaration) => number): number {
    return this.input.order.peak((one) => (this.#here.has(one) ? demand(one) : 0));
  }

  #ofMembers(amount: (size: StepSize) => number, on: number): (application: ApplicationDeclaration) => number {
    return (application) => {
      const { launches, members, size, ownsNodes } = this.facts(application);
      // Members of several nodes, and those that share none, run beside each other and not on the same nodes.
      const fitting = ownsNodes || size.nodes > 1 ? Math.max(1, Math.floor(on / size.nodes)) : Number.POSITIVE_INFINITY;
      const oneEach = launches.reduce((sum, { size }) => sum + amount(size), 0);
      // Members added by hand start at the same time.
      return launches.length > 1
        ? oneEach * (isSplit(application) ? 1 : members.replicas)
        : oneEach * Math.min(fitting, atOnce(application, this.input.batch, members));
    };
  }
}

/** The largest amount; 0 for an empty list. `Math.max` would take no list of any length. */
export function most(amounts: readonly number[]): number {
  return amounts.reduce((largest, one) => Math.max(largest, one), 0);
}

/** CPUs that a standalone store holds on each of its nodes. */
export function cpusOfStoreOnNode(store: OrchestratorDeclaration): number {
  return (store.cpus ?? 1) * serversOnNode(sizeOf(store), nodesOfStore(store));
}

function colocatedCpus({ colocated }: ApplicationDeclaration): number {
  return colocated === undefined ? 0 : (colocated.cpus ?? 1);
}

export function cpusOnNode({ tasksPerNode, cpusPerTask }: StepSize): number {
  return tasksPerNode * cpusPerTask;
}

export function gpusOnNode({ gpusPerNode, gpusPerTask, tasksPerNode }: StepSize): number {
  return gpusPerNode ?? (gpusPerTask ?? 0) * tasksPerNode;
}
