import { assignmentOf, type Entity, type Job, type Plan } from '../../../ir/index.js';
import { launcherOfProgram } from '../../../targets/launchers/index.js';
import { queriesOf } from '../../../targets/schedulers.js';
import { hostPositions, positionOf } from '../../job/hosts.js';
import type { JobEnvironment } from '../../job/job-environment.js';
import { booksFolder, makeJobFolder, removeUnusedJobFolder } from '../../job/job-folder.js';
import { identify } from '../../job/process-identity.js';
import { jobOf } from '../../job/read-plan.js';
import type { StopRequest } from '../stop-request.js';
import { namesItsHosts } from '../words.js';
import { gpuVariables } from './gpus.js';
import { HostPool } from './host-pool.js';
import { jobNodes } from './job-nodes.js';
import { type Need, type Share, withinNodes } from './room.js';

/** A launch, as far as its members' hosts are concerned. */
export interface HostsInput {
  readonly job: JobEnvironment;
  readonly plan: Plan;
  readonly entity: Entity;
  readonly line: readonly string[];
  /** One member added by hand has a line of its own. */
  readonly member: number | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly stop: StopRequest;
  readonly report: (problem: unknown) => void;
}

/** Hosts of a member while it runs. */
export interface TakenHosts {
  readonly names: readonly string[];
  /** Variables that show it its GPUs, where its launcher does not. */
  readonly variables: Readonly<Record<string, string>>;
  give(): void;
}

/** Hosts for the members of one launch. */
export interface LaunchHosts {
  /** Takes hosts for a member as soon as they have room; `undefined` at a stop request. `say` is told why that takes long. */
  take(say: (why: string) => void): Promise<TakenHosts | undefined>;
  close(): void;
}

/** The hosts of a launch: from the job's pool where the runtime chooses them or GPUs, else those of its group, which its launcher shares out. */
export function launchHosts(input: HostsInput): LaunchHosts {
  const { job, plan, entity, line, env } = input;
  const planned = jobOf(plan, job.job);
  const positions = hostPositions(job, planned, entity.group);
  const among = drawnFrom(input, planned, positions);
  if (among === undefined) {
    const names = positions.slice(0, entity.size.nodes).flatMap((position) => job.hosts[position] ?? []);
    const taken = { names, variables: {}, give: () => {} };
    return { take: async () => taken, close: () => {} };
  }
  const nodes = jobNodes(job, plan, planned, env);
  const need = withinNodes(needOf(entity, among), nodes);
  const pool = new HostPool({
    folder: booksOf(input),
    nodes,
    entity: entity.name,
    need,
    awaits: (waiting, awaited) => mayAwait(plan, waiting, awaited),
    stop: input.stop,
    report: input.report,
  });
  const givesGpus = launcherOfProgram(line[0])?.givesGpus === true || line.some((word) => /^--?gpu-bind/.test(word));
  const taken = (share: Share): TakenHosts => ({
    names: share.nodes.map((node) => nodes[node]?.name ?? ''),
    variables: givesGpus
      ? {}
      : gpuVariables(entity, env, share.gpus, { isHere: share.nodes.join() === '0', maker: plan.gpuMaker }),
    give: () => pool.give(share),
  });
  let isSaid = false;
  return {
    take: async (say) => {
      const share = await pool.take((why) => {
        say(why);
        if (!isSaid) process.stderr.write(`simwright: ${entity.name} ${why}\n`);
        isSaid = true;
      });
      return share === undefined ? undefined : taken(share);
    },
    close: () => {
      pool.close();
      // Otherwise the script removes it.
      if (job.scriptPid !== undefined && identify(job.scriptPid) === undefined) removeUnusedJobFolder(job);
    },
  };
}

/**
 * Positions of the hosts that a launch draws from the pool; `undefined` if it does not. A user may have named them; a program without a launcher
 * runs on the script's host, where it may have to be told its GPUs.
 */
function drawnFrom(
  { job, plan, entity, line, member = 0 }: HostsInput,
  planned: Job,
  positions: readonly number[],
): readonly number[] | undefined {
  if (queriesOf[plan.target] === undefined) return undefined;
  const launcher = launcherOfProgram(line[0]);
  if (launcher === undefined) return namesItsHosts(line) || (entity.size.gpusPerNode ?? 0) > 0 ? [0] : undefined;
  const { lines } = entity.launch;
  const { hosts = [] } = lines[lines.length === 1 ? 0 : assignmentOf(entity.members, member)] ?? {};
  const isChosenHere = launcher.namesHosts === true || planned.groups.length > 1;
  const drawn =
    hosts.length > 0 && isChosenHere ? hosts.flatMap((host) => positionOf(host, job.hosts) ?? []) : positions;
  const known = drawn.filter((position) => position < job.hosts.length);
  return known.length > 0 && (namesItsHosts(line) || (hosts.length > 0 && isChosenHere)) ? known : undefined;
}

/** Folder of the books in the job's own; `undefined`, with a report, where there can be none. */
function booksOf({ job, report }: HostsInput): string | undefined {
  try {
    return booksFolder(makeJobFolder(job));
  } catch (error) {
    report(error);
    return undefined;
  }
}

function needOf({ size }: Entity, among: readonly number[]): Need {
  const { nodes, tasks, tasksPerNode, cpusPerTask, gpusPerNode = 0 } = size;
  const cpus = Math.min(tasks, tasksPerNode) * cpusPerTask;
  return { nodes: Math.min(nodes, among.length), cpus, gpus: gpusPerNode, among };
}

/** True if members of one entity may wait for what those of another do while both run: they share nodes, one is the other's Ray cluster, or reads its keys. */
function mayAwait({ entities }: Plan, waiting: string, awaited: string): boolean {
  const isPartner = (name: string, other: string) => {
    const entity = entities.find((one) => one.name === name);
    if (entity === undefined) return false;
    const names = [...entity.incoming, ...entity.after.flatMap((one) => ('key' in one ? one.name : []))];
    return (
      entity.usesRay === other ||
      entity.sharesNodesWith === other ||
      names.some((one) => one === other || one.startsWith(`${other}_`))
    );
  };
  return isPartner(waiting, awaited) || isPartner(awaited, waiting);
}
