import { WorkflowError } from '../../diagnostics/index.js';
import type { StandaloneStore } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { type ClusterPart, layOut, type ShardPlace, shardsOfNodes } from './cluster-layout.js';
import type { NodeLink } from './node-link.js';

/** The nodes of a store in several shards as they come, each with places for servers, until all are there and each gets its part. */
export class ClusterForming {
  readonly #job: JobEnvironment;
  readonly #store: StandaloneStore;
  readonly #former: readonly string[];
  readonly #offers = new Map<NodeLink, readonly ShardPlace[]>();
  readonly #onProblem: (problem: WorkflowError) => void;
  readonly #onFormed: (parts: ReadonlyMap<NodeLink, ClusterPart>) => void;
  #timer: NodeJS.Timeout | undefined;

  /** `former` are the addresses of an earlier start, by their slots, that its users know; `onFormed` gets the parts of all nodes. */
  constructor(
    job: JobEnvironment,
    store: StandaloneStore,
    former: readonly string[],
    onProblem: (problem: WorkflowError) => void,
    onFormed: (parts: ReadonlyMap<NodeLink, ClusterPart>) => void = () => undefined,
  ) {
    this.#job = job;
    this.#store = store;
    this.#former = former;
    this.#onProblem = onProblem;
    this.#onFormed = onFormed;
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
    const counts = shardsOfNodes(this.#store.shards, this.#store.nodes);
    const left = nodes.map(([, offered]) => [...offered]);
    const owns: number[][] = nodes.map(() => []);
    /** Takes a place of a node for the server of that position. */
    const take = (node: number, server: number): ShardPlace | undefined => {
      owns[node]?.push(server);
      return left[node]?.shift();
    };
    const places = Array.from({ length: this.#store.shards }, (_, shard): ShardPlace => {
      const address = this.#former[shard];
      const [host, port] = address?.split(':') ?? [];
      const node =
        host === undefined
          ? owns.findIndex((own, at) => own.length < (counts[at] ?? 0))
          : left.findIndex(([first]) => first?.host === host);
      const place = take(node, shard);
      if (place === undefined) throw this.#elsewhere(address ?? '');
      return port === undefined ? place : { ...place, port: Number(port) };
    });
    // A replica is on the node after that of its shard, so that no node takes both along.
    const homes = places.map((_, shard) => owns.findIndex((own) => own.includes(shard)));
    const replicas = (this.#store.replicas === undefined ? [] : homes).map((home, shard): ShardPlace => {
      const place = take((home + 1) % nodes.length, this.#store.shards + shard);
      if (place === undefined) throw this.#elsewhere(this.#former[shard] ?? '');
      return place;
    });
    const shards = layOut(places, replicas);
    const parts = new Map(nodes.map(([node], at) => [node, { shards, own: owns[at] ?? [] }] as const));
    this.#onFormed(parts);
    for (const [node, part] of parts) node.tell({ cluster: part });
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
