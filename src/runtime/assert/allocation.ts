import { readdirSync } from 'node:fs';
import { counted, type Problem } from '../../diagnostics/index.js';
import type { Job, TargetName } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';

/** What the scheduler gave, as far as it is known. */
export interface Got {
  readonly hosts: number;
  readonly cpusPerNode: number | undefined;
  readonly gpusPerNode: number | undefined;
}

/** Launchers whose scripts run on a node apart from those of the job: what is seen there says nothing about these. */
const apart: readonly (string | undefined)[] = ['aprun', 'jsrun'];

/**
 * Nodes, CPUs and GPUs that the job got, beside those that its plan asks for; what cannot be known is no difference. On `local` there is one
 * machine for workflows of any size: fewer CPUs are worth a note there, and the rest is as it has to be.
 */
export function checkAllocation(target: TargetName, job: Job, got: Got, launcher: string | undefined): Problem[] {
  const { nodes, cpusPerNode, gpusPerNode } = job.allocation;
  const isApart = apart.includes(launcher);
  if (target === 'local') {
    const message = less('CPU', got.cpusPerNode, cpusPerNode);
    return message === undefined
      ? []
      : [{ ...problem(job.name, message), severity: 'warning', hint: 'its programs share the CPUs, and take longer' }];
  }
  // A PBS job that aprun launches is told of its launch node alone.
  const hosts = target === 'pbs' && launcher === 'aprun' ? undefined : got.hosts;
  return [
    less('node', hosts, nodes),
    isApart ? undefined : less('CPU', got.cpusPerNode, cpusPerNode, ' a node'),
    isApart ? undefined : less('GPU', got.gpusPerNode, gpusPerNode, ' a node'),
  ].flatMap((message) => (message === undefined ? [] : problem(job.name, message)));
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

/** What this job got, from its environment. */
export function allocationOf(job: Pick<JobEnvironment, 'hosts' | 'cpusPerNode'>, env: NodeJS.ProcessEnv): Got {
  return { hosts: job.hosts.length, cpusPerNode: job.cpusPerNode, gpusPerNode: visibleGpus(env) ?? nvidiaGpus() };
}

/** GPUs that the scheduler lets this job see on this node; undefined where it says nothing. */
export function visibleGpus(env: NodeJS.ProcessEnv): number | undefined {
  const onNode = env['SLURM_GPUS_ON_NODE'];
  if (onNode !== undefined && /^\d+$/.test(onNode)) return Number(onNode);
  for (const name of ['CUDA_VISIBLE_DEVICES', 'ROCR_VISIBLE_DEVICES']) {
    const list = env[name];
    if (list === undefined) continue;
    return list.split(',').filter((device) => device !== '' && !/^(NoDevFiles|-\d+)$/.test(device)).length;
  }
  return undefined;
}

/** GPUs that NVIDIA's driver knows: what `nvidia-smi -L` lists, without its second. Undefined where there is no such driver. */
export function nvidiaGpus(): number | undefined {
  try {
    return readdirSync('/proc/driver/nvidia/gpus').length;
  } catch {
    return undefined;
  }
}
