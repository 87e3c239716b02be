import { type ApplicationDeclaration, type BatchDeclaration, parseWalltime } from '../../ir/index.js';
import type { Allocated } from './allocate.js';
import type { Reads, Sized } from './compilation.js';
import { atOnce, isSplit, membersOnOwnNodes } from './lookup/members-at-once.js';
import { EndOrder } from './lookup/order.js';

/** Time in seconds to start a store and to stage applications. */
const startSeconds = 60;

/** Input of a job's walltime. */
interface WalltimeInput extends Reads<'sized' | 'site'> {
  readonly batch: BatchDeclaration | undefined;
  readonly applications: readonly ApplicationDeclaration[];
  /** The allocation of each application. */
  readonly allocationOf: ReadonlyMap<ApplicationDeclaration, Allocated>;
  /** Members in each element of a job array. */
  readonly perElement: number;
}

/** Walltime of a job in seconds: as given; else that of the longest chain of applications, if each has one; else the site's default. */
export function walltimeOf(input: WalltimeInput): number | undefined {
  const { batch, site } = input;
  const { walltime } = site.defaults;
  return (
    batch?.walltimeSeconds ?? summedWalltime(input) ?? (walltime === undefined ? undefined : parseWalltime(walltime))
  );
}

function summedWalltime({ batch, applications, sized, allocationOf, perElement }: WalltimeInput): number | undefined {
  if (applications.length === 0) return undefined;
  const seconds = new Map<ApplicationDeclaration, number>();
  for (const application of applications) {
    const facts = sized.get(application) as Sized;
    const { size, members, launches, ownsNodes } = facts;
    const { nodes, nodesApart, cpusPerNode, exclusive } = allocationOf.get(application) as Allocated;
    if (size.walltimeSeconds === undefined || exclusive || cpusPerNode === undefined) return undefined;
    const fitting = ownsNodes
      ? membersOnOwnNodes(application, facts, nodesApart, nodes)
      : Math.floor((nodes * cpusPerNode) / (size.tasks * size.cpusPerTask));
    const count = isSplit(application) ? perElement : launches.length > 1 ? 1 : members.count;
    const slots = Math.max(1, Math.min(isSplit(application) ? count : atOnce(application, batch, members), fitting));
    seconds.set(application, size.walltimeSeconds * Math.ceil(count / slots));
  }
  return startSeconds + new EndOrder(applications).longest((one) => seconds.get(one) as number);
}
