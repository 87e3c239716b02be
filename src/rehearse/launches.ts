import type { Socket } from 'node:net';
import { basename, relative } from 'node:path';
import type { Plan } from '../ir/index.js';
import { Books } from './machine/books.js';
import type { LiveRun } from './machine/machine.js';
import type { AllocatedNode, Launch, Share } from './standins.js';

/** A launch that waits, runs or has run. */
export interface Step {
  readonly run: LiveRun;
  readonly number: number;
  readonly name: string;
  /** `addresses` if it is the runtime's own, by which nodes tell their addresses. */
  readonly kind: 'store' | 'application' | 'addresses';
  /** Name of its entity or store in the plan, if it can be told. */
  readonly entity: string | undefined;
  readonly host: string;
  readonly pid: number;
  readonly socket: Socket;
  readonly askedAt: number;
  /** Its needs, as words of the launcher and as shares of nodes. */
  launch: Launch;
  place(order: readonly AllocatedNode[]): Launch | undefined;
  startedAt: number | undefined;
  endedAt: number | undefined;
  readonly codes: number[];
  readonly pids: Map<number, number>;
}

/** Shares that a launch takes of each of its nodes. */
export function sharesOf({ ranks, holds }: Launch): Map<string, Share> {
  const shares = new Map<string, Share>();
  for (const { node, cpus, gpus, memoryMiB = 0 } of ranks) {
    const before = shares.get(node) ?? { cpus: 0, gpus: 0, memoryMiB: 0 };
    shares.set(node, { cpus: before.cpus + cpus, gpus: before.gpus + gpus, memoryMiB: before.memoryMiB + memoryMiB });
  }
  if (holds === undefined) return shares;
  return new Map(
    [...shares].map(([node, share]) => [
      node,
      {
        cpus: Math.max(share.cpus, holds.cpus),
        gpus: Math.max(share.gpus, holds.gpus),
        memoryMiB: Math.max(share.memoryMiB, holds.memoryMiB),
      },
    ]),
  );
}

/** Books of who holds what inside the jobs: steps wait for each other here. */
export class StepBooks {
  readonly #books = new Map<LiveRun, Books<Step>>();

  of(run: LiveRun): Books<Step> {
    const books = this.#books.get(run) ?? new Books<Step>(run.nodes);
    this.#books.set(run, books);
    return books;
  }

  /** Takes what a step needs, on other nodes than it first named where these have no room. False if there is no room at all. */
  take(step: Step): boolean {
    if (step.launch.overlaps) return true;
    const books = this.of(step.run);
    const placed = this.roomFor(step);
    if (placed === undefined) return false;
    step.launch = placed;
    for (const [node, share] of this.#capped(step.run, placed)) books.take(node, share, step);
    return true;
  }

  /** The step's launch on nodes with room, if the steps that `but` picks out held nothing; `undefined` where there is none. */
  roomFor(step: Step, but: (other: Step) => boolean = () => false): Launch | undefined {
    const books = this.of(step.run);
    const fits = (launch: Launch) =>
      this.#capped(step.run, launch).every(([node, share]) => books.hasRoom(node, share, but));
    if (fits(step.launch)) return step.launch;
    if (step.launch.fixedNodes) return undefined;
    const shares = this.#capped(step.run, step.launch).map(([, share]) => share);
    const largest: Share = {
      cpus: Math.max(...shares.map(({ cpus }) => cpus)),
      gpus: Math.max(...shares.map(({ gpus }) => gpus)),
      memoryMiB: Math.max(...shares.map(({ memoryMiB }) => memoryMiB)),
    };
    const roomy = step.run.nodes.filter(({ name }) => books.hasRoom(name, largest, but));
    const moved = step.place([...roomy, ...step.run.nodes.filter((node) => !roomy.includes(node))]);
    return moved !== undefined && fits(moved) ? moved : undefined;
  }

  /** Whole nodes are as large as each of them is. */
  #capped(run: LiveRun, launch: Launch): [string, Share][] {
    return [...sharesOf(launch)].map(([node, share]) => {
      const size = run.nodes.find(({ name }) => name === node);
      if (size === undefined || launch.holds === undefined) return [node, share];
      return [node, { ...share, cpus: Math.min(share.cpus, size.cpus), gpus: Math.min(share.gpus, size.gpus) }];
    });
  }
}

/** Entity or store that a launch belongs to, and if it is a store: stores are processes of the runtime, members work in their folders. */
export function ownerOf(
  plan: Plan,
  dir: string,
  { ranks }: Launch,
  cwd: string,
): { readonly kind: Step['kind']; readonly entity: string | undefined; readonly member: string | undefined } {
  const words = ranks[0]?.command ?? [];
  const bundle = words.findIndex((word) => basename(word) === 'simwright.mjs');
  const verb = words[bundle + 1];
  if (bundle !== -1 && verb === 'store') return { kind: 'store', entity: words[bundle + 2], member: undefined };
  if (bundle !== -1 && verb === 'addresses') return { kind: 'addresses', entity: undefined, member: undefined };
  const [first, entity, member] = relative(dir, cwd).split('/');
  if (first !== 'run' || entity === undefined) return { kind: 'application', entity: undefined, member: undefined };
  const known = plan.entities.some(({ name }) => name === entity);
  return { kind: 'application', entity: known ? entity : undefined, member: member ?? entity };
}
