import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Entity, type Job, lineOfMember, type MemberSize, type Plan, sizeOfMember } from '../../../ir/index.js';
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
  /** The file of its directory that tells its launcher what it has got, and how that is written into it. */
  readonly resources?: { readonly file: string; readonly fill: (text: string) => string };
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
    const names = positions.slice(0, sizeOf(input).nodes).flatMap((position) => job.hosts[position] ?? []);
    const taken = { names, variables: {}, give: () => {} };
    return { take: async () => taken, close: () => {} };
  }
  const nodes = jobNodes(job, plan, planned, env);
  const launcher = launcherOfProgram(line[0]);
  const resources = lineOf(input).resources;
  const need = withinNodes({ ...needOf(sizeOf(input), line, among), ...coresNeeded(input) }, nodes);
  const pool = new HostPool({
    folder: booksOf(input),
    nodes,
    entity: entity.name,
    need,
    awaits: (waiting, awaited) => mayAwait(plan, waiting, awaited),
    stop: input.stop,
    report: input.report,
  });
  const givesGpus = launcher?.givesGpus === true || line.some((word) => /^--?gpu-bind/.test(word));
  const fill = (share: Share, hosts: readonly string[]) => (text: string) => {
    const given = { hosts, gpus: share.gpus, cores: resources?.bound === true ? undefined : share.cores };
    return launcher?.resources?.place(text, given, resources?.threadsPerCore ?? 1) ?? text;
  };
  const taken = (share: Share, names = share.nodes.map((node) => nodes[node]?.name ?? '')): TakenHosts => ({
    names,
    ...(resources === undefined ? {} : { resources: { file: resources.file, fill: fill(share, names) } }),
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
function drawnFrom(input: HostsInput, planned: Job, positions: readonly number[]): readonly number[] | undefined {
  const { job, plan, line } = input;
  if (queriesOf[plan.target] === undefined) return undefined;
  const launcher = launcherOfProgram(line[0]);
  if (launcher === undefined) return namesItsHosts(line) || (sizeOf(input).gpusPerNode ?? 0) > 0 ? [0] : undefined;
  const { hosts = [], resources } = lineOf(input);
  const isChosenHere = launcher.namesHosts === true || planned.groups.length > 1 || othersNameHosts(plan, planned);
  const drawn =
    hosts.length > 0 && isChosenHere ? hosts.flatMap((host) => positionOf(host, job.hosts) ?? []) : positions;
  const known = drawn.filter((position) => position < job.hosts.length);
  const isTold = namesItsHosts(line) || resources !== undefined || (hosts.length > 0 && isChosenHere);
  return known.length > 0 && isTold ? known : undefined;
}

/** True if launches of a job are told their hosts by their lines, so that those whose hosts the user has named count as well. */
function othersNameHosts({ entities }: Plan, { name }: Job): boolean {
  return entities.some(({ job, launch }) => job === name && launch.lines.some(({ words }) => namesItsHosts(words)));
}

/** The plan's line of a launch. */
function lineOf({ entity, member = 0 }: HostsInput): Entity['launch']['lines'][number] {
  return lineOfMember(entity, member);
}

/** Resources of a member of the launch. */
function sizeOf({ entity, member = 0 }: HostsInput): MemberSize {
  return sizeOfMember(entity, member);
}

/** CPUs of a launch whose launcher is told their numbers: as many as its file has on a node, or the very ones. */
function coresNeeded(input: HostsInput): Partial<Need> {
  const { job, entity, line } = input;
  const { resources } = lineOf(input);
  const file = entity.files.find((one) => one.kind === 'copy' && one.to === resources?.file);
  const launcher = launcherOfProgram(line[0])?.resources;
  if (resources === undefined || launcher === undefined || file?.kind !== 'copy') return {};
  const { numbers, most } = launcher.cores(
    readFileSync(join(job.dir, file.artifact), 'utf8'),
    resources.threadsPerCore,
  );
  return { cpus: most, cores: resources.bound ? numbers : 'any' };
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

/** Need of a member with a launch line, on some nodes of the job. */
export function needOf(size: MemberSize, line: readonly string[], among: readonly number[]): Need {
  const { nodes, tasks, tasksPerNode, cpusPerTask, gpusPerNode = 0, memoryPerNodeMiB: memoryMiB } = size;
  const cpus = Math.min(tasks, tasksPerNode) * cpusPerTask;
  // Where the launcher is told it, it keeps the launch waiting until the node has so much.
  const isTold = memoryMiB !== undefined && line.includes(`--mem=${memoryMiB}M`);
  return { nodes: Math.min(nodes, among.length), cpus, gpus: gpusPerNode, ...(isTold ? { memoryMiB } : {}), among };
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
