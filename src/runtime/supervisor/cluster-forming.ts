import { WorkflowError } from '../../diagnostics/index.js';
import type { StandaloneStore } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { type ClusterShard, layOut, type ShardPlace, shardsOfNodes } from './cluster-layout.js';
import type { NodeLink } from './node-link.js';

/** The nodes of a store in several shards as they come, each with places for servers, until all are there and each gets its part. */
export class ClusterForming {
  readonly #job: JobEnvironment;
  readonly #store: StandaloneStore;
  readonly #former: readonly string[];
  readonly #offers = new Map<NodeLink, readonly ShardPlace[]>();
  readonly #onProblem: (problem: WorkflowError) => void;
  #timer: NodeJS.Timeout | undefined;

  /** `former` are the addresses of an earlier start, by their slots, that its users know. */
  constructor(
    job: JobEnvironment,
    store: StandaloneStore,
    former: readonly string[],
    onProblem: (problem: WorkflowError) => void,
  ) {
    this.#job = job;
    this.#store = store;
    this.#former = former;
    this.#onProblem = onProblem;
  }

  /** Takes a node's offer; the last one forms the cluster. */
  offer(node: NodeLink, places: readonly ShardPlace[]): void {
    this.#offers.set(node, places);
    this.#timer ??= setTimeout(() => this.#onProblem(this.#late()), this.#job.joinTimeoutSeconds * 1000);
    if (this.#offers.size < this.#store.nodes) return;
    this.stop();
    try {
      this.#form();
    } catch (error) {
      this.#onProblem(error as WorkflowError);
    }
  }

  /** Waits for nobody any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #form(): void {
    const nodes = [...this.#offers].sort(
      ([a], [b]) => this.#positionOf(a) - this.#positionOf(b) || (a.host < b.host ? -1 : 1),
    );
    const places: ShardPlace[] = [];
    const owns: { readonly node: NodeLink; readonly own: number[] }[] = [];
    const counts = shardsOfNodes(this.#store.shards, this.#store.nodes);
    if (this.#former.length > 0) {
      const left = new Map<NodeLink, ShardPlace[]>(nodes.map(([node, offered]) => [node, [...offered]]));
      for (const [node] of nodes) owns.push({ node, own: [] });
      for (const [index, address] of this.#former.entries()) {
        const found = owns.find(({ node }) => left.get(node)?.[0]?.host === address.split(':')[0]);
        const place = found === undefined ? undefined : left.get(found.node)?.shift();
        if (found === undefined || place === undefined) throw this.#elsewhere(address);
        found.own.push(index);
        places.push({ ...place, port: Number(address.split(':')[1]) });
      }
    } else {
      for (const [index, [node, offered]] of nodes.entries()) {
        const own = offered.slice(0, counts[index]);
        owns.push({ node, own: own.map((_, at) => places.length + at) });
        places.push(...own);
      }
    }
    const shards: ClusterShard[] = layOut(places);
    for (const { node, own } of owns) node.tell({ shards, own });
  }

  #positionOf({ host }: NodeLink): number {
    const position = this.#job.hosts.findIndex((name) => name.split('.')[0] === host);
    return position === -1 ? this.#job.hosts.length : position;
  }

  #late(): WorkflowError {
    const { name, nodes } = this.#store;
    const there = new Set([...this.#offers.keys()].map(({ host }) => host));
    const absent = this.#job.hosts.filter((host) => !there.has(host.split('.')[0] ?? ''));
    const missing = nodes - there.size;
    const who = absent.length === 0 ? '' : `: ${absent.length > missing ? `${missing} of ` : ''}${absent.join(', ')}`;
    return new WorkflowError({
      code: 'RUN1004',
      message: `store '${name}' is to run on ${nodes} nodes, and ${missing} did not come within ${this.#job.joinTimeoutSeconds} s of the first${who}`,
      hint: `its launcher has started no process there, or that cannot reach this host; run/stores/${name}/launch.log has what was said`,
    });
  }

  #elsewhere(address: string): WorkflowError {
    const { name } = this.#store;
    return new WorkflowError({
      code: 'RUN1004',
      message: `store '${name}' started again without a node at ${address.split(':')[0]}, but its users know a shard at ${address}`,
    });
  }
}
