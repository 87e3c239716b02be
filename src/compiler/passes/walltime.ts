import type { Problems } from '../../diagnostics/index.js';
import { type ApplicationDeclaration, type BatchDeclaration, commandsOf, parseWalltime } from '../../ir/index.js';
import type { PlacedGroup, Reads, Sized } from './compilation.js';
import { atOnce, isSplit, membersOnOwnNodes } from './lookup/members-at-once.js';
import { EndOrder } from './lookup/order.js';

/** Time in seconds to start a store and to stage applications. */
const startSeconds = 60;

/** Nodes that applications run on, and their CPUs, if they are known. */
type Room = Pick<PlacedGroup, 'nodes' | 'nodesApart'> & { readonly cpusPerNode?: number | undefined };

/** Input of a job's walltime. */
interface WalltimeInput extends Reads<'sized' | 'site'> {
  readonly name: string;
  readonly batch: BatchDeclaration | undefined;
  readonly applications: readonly ApplicationDeclaration[];
  /** The nodes of each application. */
  readonly roomOf: ReadonlyMap<ApplicationDeclaration, Room>;
  /** Members in each element of a job array. */
  readonly perElement: number;
}

/**
 * Walltime of a job in seconds: as given; else that of the longest chain of applications, if each has one; else the site's default. It is a
 * warning if applications have walltimes that do not count.
 */
export function walltimeOf(input: WalltimeInput, problems: Problems): number | undefined {
  const { batch, site } = input;
  const { walltime } = site.defaults;
  return (
    batch?.walltimeSeconds ??
    summedWalltime(input, problems) ??
    (walltime === undefined ? undefined : parseWalltime(walltime))
  );
}

function summedWalltime(input: WalltimeInput, problems: Problems): number | undefined {
  const { name, sized, site } = input;
  // A Ray cluster runs as long as its users.
  const applications = input.applications.filter(({ kind }) => kind !== 'ray-cluster');
  const limited = applications.find((one) =>
    commandsOf(one).some(({ walltimeSeconds }) => walltimeSeconds !== undefined),
  );
  if (limited === undefined) return undefined;
  const lost = (why: string, hint: string) => {
    problems.warning('PLAN1012', `the walltime of '${limited.name}' does not count: ${why}`, limited.command.at, hint);
    return undefined;
  };
  const ofJob = "give the job one with .batch({ walltime: '02:00:00' })";
  const endless = applications.find((one) => (sized.get(one) as Sized).size.walltimeSeconds === undefined);
  if (endless !== undefined) {
    const who = endless === limited ? 'other members have' : `'${endless.name}' has`;
    return lost(`${who} none, and job '${name}' runs both`, `give every command one, or ${ofJob}`);
  }
  const seconds = new Map<ApplicationDeclaration, number>();
  for (const application of applications) {
    const one = secondsOf(application, input);
    if (one === undefined) {
      const why = `site '${site.name}' does not say how many members of '${application.name}' its nodes hold`;
      return lost(why, `${ofJob}, or the site's nodes their cores: node: { cores }`);
    }
    seconds.set(application, one);
  }
  return startSeconds + new EndOrder(applications).longest((one) => seconds.get(one) as number);
}

/** Seconds that all members of an application take; undefined where it is not known how many run at a time. */
function secondsOf(
  application: ApplicationDeclaration,
  { batch, sized, roomOf, perElement }: WalltimeInput,
): number | undefined {
  const facts = sized.get(application) as Sized;
  const { size, members, launches, ownsNodes } = facts;
  const { nodes, nodesApart, cpusPerNode } = roomOf.get(application) as Room;
  const ofOne = size.walltimeSeconds ?? 0;
  const count = isSplit(application) ? perElement : launches.length > 1 ? 1 : members.count;
  const wanted = Math.min(isSplit(application) ? count : atOnce(application, batch, members), count);
  if (wanted === 1) return ofOne * count;
  // Whole nodes of unknown size.
  if (!ownsNodes && cpusPerNode === undefined) return undefined;
  const fitting = ownsNodes
    ? membersOnOwnNodes(application, facts, nodesApart, nodes)
    : Math.floor((nodes * (cpusPerNode as number)) / (size.tasks * size.cpusPerTask));
  return ofOne * Math.ceil(count / Math.max(1, Math.min(wanted, fitting)));
}
