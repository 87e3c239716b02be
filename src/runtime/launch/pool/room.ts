/** A node of the job, and what stores leave there to members. */
export interface PoolNode {
  readonly name: string;
  /** CPUs; infinite where it is not known how many the node has. */
  readonly cpus: number;
  /** CPUs among them that stores use as well: members get them last. @default 0 */
  readonly sharedCpus?: number;
  /** Memory in MiB; absent where it is not known how much the job has. */
  readonly memoryMiB?: number | undefined;
  /** GPUs by their positions among those of the job on the node. */
  readonly gpus: readonly number[];
  /** Numbers of the CPUs that stores hold, where launchers are told which. */
  readonly heldCores?: readonly number[];
}

/** Nodes, and CPUs and GPUs on each of them, that a member takes. */
export interface Need {
  readonly nodes: number;
  readonly cpus: number;
  readonly gpus: number;
  /** Memory in MiB. @default 0 */
  readonly memoryMiB?: number;
  /** Positions, in the job, of the nodes that it may have. */
  readonly among: readonly number[];
  /** Its launcher is told the numbers of its CPUs: any that are free, or these. */
  readonly cores?: 'any' | readonly number[];
}

/** Nodes by their positions in the job, with the CPUs and the GPUs that are taken on each of them: the same GPUs on all. */
export interface Share {
  readonly nodes: readonly number[];
  readonly cpus: number;
  readonly memoryMiB?: number;
  readonly gpus: readonly number[];
  /** Numbers of the CPUs on each of these nodes, where its launcher is told them. */
  readonly cores?: readonly (readonly number[])[];
}

/** CPUs and GPUs of the job's nodes that nobody has. */
export class Room {
  readonly #cpus: number[];
  readonly #sharedCpus: readonly number[];
  readonly #memoryMiB: number[];
  readonly #gpus: Set<number>[];
  readonly #heldCores: Set<number>[];

  constructor(nodes: readonly PoolNode[]) {
    this.#cpus = nodes.map(({ cpus }) => cpus);
    this.#sharedCpus = nodes.map(({ sharedCpus = 0 }) => sharedCpus);
    this.#memoryMiB = nodes.map(({ memoryMiB = Number.POSITIVE_INFINITY }) => memoryMiB);
    this.#gpus = nodes.map(({ gpus }) => new Set(gpus));
    this.#heldCores = nodes.map(({ heldCores }) => new Set(heldCores));
  }

  /** Takes what somebody holds. */
  take({ nodes, cpus, memoryMiB = 0, gpus, cores = [] }: Share): void {
    for (const [index, node] of nodes.entries()) {
      for (const core of cores[index] ?? []) this.#heldCores[node]?.add(core);
      this.#cpus[node] = (this.#cpus[node] ?? 0) - cpus;
      this.#memoryMiB[node] = (this.#memoryMiB[node] ?? 0) - memoryMiB;
      for (const gpu of gpus) this.#gpus[node]?.delete(gpu);
    }
  }

  /** The part of the room that a member gets, on the emptiest nodes; `undefined` while there is not enough of it. */
  fit(need: Need): Share | undefined {
    const share = this.#fit(need);
    if (share === undefined) return undefined;
    const { memoryMiB, cores } = need;
    return {
      ...share,
      ...(memoryMiB === undefined ? {} : { memoryMiB }),
      ...(cores === undefined ? {} : { cores: share.nodes.map((node) => this.#coresOn(node, need)) }),
    };
  }

  #fit(need: Need): Share | undefined {
    const fitting = need.among
      .filter((node) => this.#cpusOn(node) >= need.cpus && this.#gpusOn(node).size >= need.gpus)
      .filter((node) => this.#hasCores(node, need) && (this.#memoryMiB[node] ?? 0) >= (need.memoryMiB ?? 0))
      .sort((a, b) => this.#emptiness(b) - this.#emptiness(a) || this.#gpusOn(b).size - this.#gpusOn(a).size || a - b);
    if (fitting.length < need.nodes) return undefined;
    if (need.gpus === 0) return { nodes: inOrder(fitting.slice(0, need.nodes)), cpus: need.cpus, gpus: [] };
    // The GPUs are the same on all nodes, so the nodes that can be chosen depend on the first.
    for (const first of fitting.slice(0, fitting.length - need.nodes + 1)) {
      const share = this.#beside(first, fitting, need);
      if (share !== undefined) return share;
    }
    return undefined;
  }

  #beside(first: number, fitting: readonly number[], { nodes, cpus, gpus }: Need): Share | undefined {
    const chosen = [first];
    let common = [...this.#gpusOn(first)];
    for (const node of fitting) {
      if (chosen.length === nodes) break;
      const both = common.filter((gpu) => this.#gpusOn(node).has(gpu));
      if (node === first || both.length < gpus) continue;
      chosen.push(node);
      common = both;
    }
    if (chosen.length < nodes) return undefined;
    return { nodes: inOrder(chosen), cpus, gpus: inOrder(common).slice(0, gpus) };
  }

  #hasCores(node: number, { cores }: Need): boolean {
    if (cores === undefined || cores === 'any') return true;
    return cores.every((core) => this.#heldCores[node]?.has(core) !== true);
  }

  /** The first free CPUs of a node, or those that are asked for. */
  #coresOn(node: number, { cpus, cores }: Need): readonly number[] {
    if (cores !== undefined && cores !== 'any') return cores;
    const free: number[] = [];
    for (let core = 0; free.length < cpus; core++) if (this.#heldCores[node]?.has(core) !== true) free.push(core);
    return free;
  }

  /** CPUs of a node that neither members nor stores use; below 0 where they use some together. */
  #emptiness(node: number): number {
    return this.#cpusOn(node) - (this.#sharedCpus[node] ?? 0);
  }

  #cpusOn(node: number): number {
    return this.#cpus[node] ?? 0;
  }

  #gpusOn(node: number): ReadonlySet<number> {
    return this.#gpus[node] ?? new Set();
  }
}

/**
 * The need of a member as far as the nodes have it when nobody else is there: a job that got less than was planned runs it alone on what there is.
 */
export function withinNodes(need: Need, nodes: readonly PoolNode[]): Need {
  const own = need.among.flatMap((node) => nodes[node] ?? []);
  const count = Math.min(need.nodes, own.length);
  // So much of a thing that as many nodes have it as the member needs.
  const least = (amounts: readonly number[]) => [...amounts].sort((a, b) => b - a)[count - 1] ?? 0;
  const gpus = Math.min(need.gpus, least(own.map((node) => node.gpus.length)));
  const cpus = Math.min(need.cpus, Math.max(1, least(own.map((node) => node.cpus))));
  const memoryMiB = Math.min(need.memoryMiB ?? 0, least(own.map((node) => node.memoryMiB ?? Number.POSITIVE_INFINITY)));
  const within = { ...need, nodes: count, cpus, gpus, ...(memoryMiB === 0 ? {} : { memoryMiB }) };
  const fits = new Room(nodes).fit(within) !== undefined;
  // Nodes with the CPUs may be others than those with the GPUs.
  if (fits) return within;
  const { cores: _cores, memoryMiB: _memoryMiB, ...counts } = need;
  return { ...counts, nodes: count, cpus: 0, gpus: 0 };
}

function inOrder(numbers: readonly number[]): number[] {
  return [...numbers].sort((a, b) => a - b);
}
