import { setTimeout as sleep } from 'node:timers/promises';
import type { TakeOver } from '../orchestrator/options.js';
import { PeerFilter, type PeerFilterOptions } from '../orchestrator/server/peer-filter.js';
import {
  type ClusterChange,
  type ClusterShard,
  changed,
  nameOfShard,
  shardOf,
  siblingOf,
} from '../supervisor/cluster-layout.js';
import { freePorts } from '../supervisor/free-port.js';
import { RestartBudget } from '../supervisor/restart-budget.js';
import { type Place, Tunnel } from './tunnel.js';

/** Milliseconds between two attempts to start a server again. */
const restartPauseMs = 200;

/** The servers of this node, and whoever has to know of them. */
export interface FailoverActions {
  /** Lets a server take over the slots of the one that it follows. Rejects if it has not got all data yet. */
  readonly takeOver: (index: number) => Promise<void>;
  /** Starts a server that has died as the replica of who leads its shard now; resolves when it has all data. */
  readonly restart: (index: number, shards: readonly ClusterShard[]) => Promise<void>;
  /** Tells the other nodes. */
  readonly tell: (change: ClusterChange) => void;
  /** Called when a shard has no server left. */
  readonly giveUp: (reason: string) => void;
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void;
}

/**
 * Servers of a cluster with replicas that die and take over, as one of its nodes sees it. Whoever holds a server knows at once that it has died, so
 * the servers neither watch each other nor vote: the other server of the shard takes over as soon as its node has heard of it. The one that
 * has died is started again as its replica, on another port if clients know the old one, which then leads to the server that has the slots.
 */
export class Failover {
  #shards: readonly ClusterShard[];
  readonly #own: readonly number[];
  readonly #actions: FailoverActions;
  readonly #peers: PeerFilter;
  readonly #dead = new Set<number>();
  readonly #tunnels = new Map<number, { readonly tunnel: Tunnel; readonly server: number }>();
  readonly #budgets = new Map<number, RestartBudget>();
  readonly #takeOvers: (TakeOver & { readonly shard: number })[] = [];
  #isClosed = false;

  constructor(
    shards: readonly ClusterShard[],
    own: readonly number[],
    peers: PeerFilterOptions,
    actions: FailoverActions,
  ) {
    this.#shards = shards;
    this.#own = own;
    this.#peers = new PeerFilter(peers);
    this.#actions = actions;
  }

  /** All servers, as they are now. */
  get shards(): readonly ClusterShard[] {
    return this.#shards;
  }

  /** True if the server has the slots of its shard, and lives. */
  leads(index: number): boolean {
    return this.#shards[index]?.follows === undefined && !this.#dead.has(index);
  }

  /** True if the server has died and is not there again. */
  isDown(index: number): boolean {
    return this.#dead.has(index);
  }

  /** Take-overs of a shard, the first one first. */
  takeOversOf(shard: number): readonly TakeOver[] {
    return this.#takeOvers.flatMap(({ shard: one, ...takeOver }) => (one === shard ? [takeOver] : []));
  }

  /** Number of clients that have been led on to another server. */
  get led(): number {
    return [...this.#tunnels.values()].reduce((sum, { tunnel }) => sum + tunnel.connections, 0);
  }

  /** A server of this node has died. */
  async died(index: number, how: string): Promise<void> {
    const name = nameOfShard(this.#shards, index);
    const isLeader = this.leads(index);
    this.#dead.add(index);
    const what = isLeader ? 'its replica takes over' : 'its shard goes on';
    this.#actions.log('error', `${name}: ${how}; ${what}`);
    if (isLeader) await this.#openTunnel(index);
    this.#actions.tell({ lost: index });
    await this.#replace(index, isLeader);
    if (!isLeader || this.#hasLeader(index)) await this.#restart(index);
  }

  /** Takes news of a server of another node. */
  async hear(change: ClusterChange): Promise<void> {
    if ('lost' in change) {
      const isLeader = this.leads(change.lost);
      this.#dead.add(change.lost);
      await this.#replace(change.lost, isLeader);
      return;
    }
    this.#apply(change);
    const index = 'leads' in change ? siblingOf(this.#shards, change.leads) : undefined;
    if (index !== undefined && this.#own.includes(index) && this.#dead.has(index)) await this.#restart(index);
  }

  close(): void {
    this.#isClosed = true;
    for (const { tunnel } of this.#tunnels.values()) tunnel.close();
  }

  #hasLeader(index: number): boolean {
    const sibling = siblingOf(this.#shards, index);
    return sibling !== undefined && this.leads(sibling);
  }

  /** Lets the other server of the shard take over, if it is of this node and the dead one had the slots. */
  async #replace(index: number, wasLeader: boolean): Promise<void> {
    const sibling = siblingOf(this.#shards, index);
    if (this.#isClosed || sibling === undefined || !this.#concerns(index, sibling)) return;
    const name = nameOfShard(this.#shards, index);
    if (this.#dead.has(sibling))
      return this.#actions.giveUp(`${name} has died, and the other server of its shard before`);
    if (!wasLeader || !this.#own.includes(sibling)) return;
    try {
      await this.#actions.takeOver(sibling);
    } catch (error) {
      if (!this.#isClosed) this.#actions.giveUp(`${name} has died, and its replica cannot take over: ${textOf(error)}`);
      return;
    }
    const change = { leads: sibling, port: this.#shards[sibling]?.port ?? 0 };
    this.#apply(change);
    this.#actions.log('warn', `${nameOfShard(this.#shards, sibling)} has taken over`);
    this.#actions.tell(change);
  }

  #concerns(...indexes: readonly number[]): boolean {
    return indexes.some((index) => this.#own.includes(index));
  }

  #apply(change: ClusterChange): void {
    if ('leads' in change) this.#note(change.leads);
    this.#shards = changed(this.#shards, change);
    if ('follows' in change) this.#dead.delete(change.follows);
    for (const { tunnel, server } of this.#tunnels.values()) tunnel.lead(this.#leaderOf(server));
  }

  /** Writes down that a server takes over, while the other one of its shard is still the one that had the slots. */
  #note(index: number): void {
    const place = (at: number | undefined) => `${this.#shards[at ?? -1]?.host}:${this.#shards[at ?? -1]?.port}`;
    const from = place(siblingOf(this.#shards, index));
    const time = new Date().toISOString();
    this.#takeOvers.push({ shard: shardOf(this.#shards, index), time, from, to: place(index) });
  }

  /** Place of whoever leads the shard of a server; undefined while nobody does. */
  #leaderOf(index: number): Place | undefined {
    return [index, siblingOf(this.#shards, index) ?? index]
      .filter((one) => this.leads(one))
      .map((one) => this.#shards[one])[0];
  }

  async #openTunnel(index: number): Promise<void> {
    for (const { tunnel, server } of this.#tunnels.values()) tunnel.lead(this.#leaderOf(server));
    const { host, port } = this.#shards[index] ?? { host: '', port: 0 };
    try {
      const tunnel = await Tunnel.open({ host, port }, this.#peers, (message) => this.#actions.log('warn', message));
      if (this.#isClosed) return tunnel.close();
      tunnel.lead(this.#leaderOf(index));
      this.#tunnels.set(port, { tunnel, server: index });
    } catch (error) {
      this.#actions.log('error', `clients that know ${host}:${port} alone cannot go on: ${textOf(error)}`);
    }
  }

  /** Starts a dead server of this node again, as a replica. */
  async #restart(index: number): Promise<void> {
    const budget = this.#budgets.get(index) ?? new RestartBudget();
    this.#budgets.set(index, budget);
    while (!this.#isClosed && this.#hasLeader(index)) {
      const name = nameOfShard(this.#shards, index);
      if (!budget.take()) {
        this.#actions.log('error', `${name} has died too often: its shard goes on without a replica`);
        return;
      }
      const { host, port: known } = this.#shards[index] ?? { host: '', port: 0 };
      const [free = 0] = this.#tunnels.has(known) ? await freePorts(1, host) : [known];
      const change = { follows: index, port: free };
      try {
        await this.#actions.restart(index, changed(this.#shards, change));
        this.#apply(change);
        this.#actions.log('info', `${nameOfShard(this.#shards, index)} is there again`);
        this.#actions.tell(change);
        return;
      } catch (error) {
        if (!this.#isClosed) this.#actions.log('error', `${name} did not start again: ${textOf(error)}`);
        await sleep(restartPauseMs);
      }
    }
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
