import { readdirSync } from 'node:fs';
import { counted, type Problem } from '../../diagnostics/index.js';
import { coresIn, type Entity, type GpuMaker, type Job, type Plan, type TargetName } from '../../ir/index.js';
import { launcherOfProgram } from '../../targets/launchers/index.js';
import { queriesOf } from '../../targets/schedulers.js';
import { hostPositions, positionOf } from '../job/hosts.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { visibleDevices } from '../job/visible-devices.js';

/** The allocation that the scheduler gave, as far as it is known. */
export interface Got {
  readonly hosts: readonly string[];
  /** CPUs on the first host. */
  readonly cpusPerNode: number | undefined;
  /** CPUs on each host, where the scheduler tells. */
  readonly hostCpus?: readonly number[];
  readonly gpusPerNode: number | undefined;
}

/**
 * Nodes, CPUs, GPUs and hosts that the job got, beside those that its plan asks for, in all of its components; what cannot be known is no
 * difference. Without a scheduler there is one machine for workflows of any size: fewer CPUs are worth a note there, and the rest is as it has to
 * be. `program` starts the job's first launch.
 */
export function checkAllocation(
  { target, entities, stores }: Pick<Plan, 'target' | 'entities' | 'stores'>,
  job: Job,
  got: Got,
  program: string | undefined,
): Problem[] {
  const scheduler = queriesOf[target];
  if (scheduler === undefined) {
    const message = less('CPU', got.cpusPerNode, job.allocation.cpusPerNode);
    return message === undefined
      ? []
      : [{ ...problem(job.name, message), severity: 'warning', hint: 'its programs share the CPUs, and take longer' }];
  }
  const launcher = launcherOfProgram(program);
  const isHidden = launcher !== undefined && scheduler.hidesHostsUnder?.includes(launcher.name);
  const runs = [...entities, ...stores].filter(({ name }) => job.entities.includes(name) || job.stores.includes(name));
  const messages = [
    ...(isHidden ? [] : [missingNodes(job, got, runs)]),
    // Nothing more is known of nodes apart from the script's.
    ...(launcher?.scriptApart === true
      ? []
      : [
          ...missingCpus(job, got, runs),
          less('GPU', got.gpusPerNode, job.allocation.gpusPerNode, ' a node'),
          ...(isHidden
            ? []
            : missingHosts(
                entities.filter(({ name }) => job.entities.includes(name)),
                got,
              )),
        ]),
  ];
  return messages.flatMap((message) => (message === undefined ? [] : problem(job.name, message)));
}

/** An entity or a store, as far as it runs on a group of nodes. */
type OnGroup = Pick<Entity, 'name' | 'group'>;

/** Too few nodes, and who would have none of them. */
function missingNodes(job: Job, { hosts }: Got, runs: readonly OnGroup[]): string | undefined {
  const needed = [job.allocation, ...job.components].reduce((sum, { nodes }) => sum + nodes, 0);
  const message = less('node', hosts.length, needed);
  const isHit = ({ group }: OnGroup) => hostPositions({ hosts }, job, group).some((one) => one >= hosts.length);
  return message === undefined ? undefined : `${message}${forWhom(job, runs.filter(isHit))}`;
}

/** Too few CPUs on nodes of a component, and who runs there. */
function missingCpus(job: Job, { cpusPerNode, hostCpus = [], hosts }: Got, runs: readonly OnGroup[]): string[] {
  const isAligned = hostCpus.length === hosts.length;
  let before = 0;
  return [job.allocation, ...job.components].flatMap((one, component) => {
    const first = before;
    before += one.nodes;
    const known = isAligned
      ? hostCpus.slice(first, before).map((cpus) => coresIn(cpus, one))
      : component === 0 && cpusPerNode !== undefined
        ? [cpusPerNode]
        : [];
    const message = known.length === 0 ? undefined : less('CPU', Math.min(...known), one.cpusPerNode, ' a node');
    if (message === undefined) return [];
    const isHit = ({ group }: OnGroup) => job.groups[group]?.component === component;
    return [`${message}${job.components.length === 0 ? '' : forWhom(job, runs.filter(isHit))}`];
  });
}

/** Hosts that a user has named for an entity, and that are not among those of the job, where too few of them are. */
function missingHosts(entities: readonly Entity[], { hosts }: Got): string[] {
  return entities.flatMap(({ name, launch, size }) =>
    launch.lines.flatMap(({ hosts: named = [] }) => {
      const missing = named.filter((host) => positionOf(host, hosts) === undefined);
      const isEnough = named.length - missing.length >= size.nodes;
      return missing.length === 0 || isEnough ? [] : `not ${missing.join(', ')}, which its plan names for ${name}`;
    }),
  );
}

/** The end of a sentence that says whom it hits, in a job whose nodes are parted among several. */
function forWhom({ groups }: Job, runs: readonly OnGroup[]): string {
  return groups.length === 1 || runs.length === 0 ? '' : `: too few for ${runs.map(({ name }) => name).join(', ')}`;
}

function less(what: string, got: number | undefined, needed: number | undefined, each = ''): string | undefined {
  if (got === undefined || needed === undefined || got >= needed) return undefined;
  return `${counted(got, what)}${each}, and its plan needs ${needed}`;
}

function problem(job: string, message: string): Problem {
  return {
    code: 'RUN1020',
    severity: 'error',
    message: `job '${job}' has ${message}`,
    hint: 'perhaps the script was submitted with other options, or its directives were edited',
  };
}

/** The allocation of this job, from its environment. */
export function allocationOf(
  job: Pick<JobEnvironment, 'hosts' | 'cpusPerNode'>,
  { target, gpuMaker }: Pick<Plan, 'target' | 'gpuMaker'>,
  env: NodeJS.ProcessEnv,
): Got {
  const gpusPerNode = visibleGpus(target, env, gpuMaker) ?? nvidiaGpus();
  const hostCpus = queriesOf[target]?.hostCpus?.(env) ?? [];
  return { hosts: job.hosts, cpusPerNode: job.cpusPerNode, hostCpus, gpusPerNode };
}

/** GPUs that the scheduler lets this job see on this node; undefined where it says nothing. */
export function visibleGpus(target: TargetName, env: NodeJS.ProcessEnv, maker?: GpuMaker): number | undefined {
  const onNode = env[queriesOf[target]?.variables?.gpus ?? ''];
  if (onNode !== undefined && /^\d+$/.test(onNode)) return Number(onNode);
  return visibleDevices(env, maker)?.length;
}

/** GPUs that NVIDIA's driver knows: what `nvidia-smi -L` lists, without its second. Undefined where there is no such driver. */
export function nvidiaGpus(): number | undefined {
  try {
    return readdirSync('/proc/driver/nvidia/gpus').length;
  } catch {
    return undefined;
  }
}
