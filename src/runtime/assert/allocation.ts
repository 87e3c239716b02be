import { readdirSync } from 'node:fs';
import { counted, type Problem } from '../../diagnostics/index.js';
import type { Job, TargetName } from '../../ir/index.js';
import { launcherOfProgram } from '../../targets/launchers/index.js';
import { queriesOf } from '../../targets/schedulers.js';
import type { JobEnvironment } from '../job/job-environment.js';

/** The allocation that the scheduler gave, as far as it is known. */
export interface Got {
  readonly hosts: number;
  readonly cpusPerNode: number | undefined;
  readonly gpusPerNode: number | undefined;
}

/**
 * Nodes, CPUs and GPUs that the job got, beside those that its plan asks for; what cannot be known is no difference. Without a scheduler there is
 * one machine for workflows of any size: fewer CPUs are worth a note there, and the rest is as it has to be. `program` starts the job's first
 * launch.
 */
export function checkAllocation(target: TargetName, job: Job, got: Got, program: string | undefined): Problem[] {
  const { nodes, cpusPerNode, gpusPerNode } = job.allocation;
  const scheduler = queriesOf[target];
  const launcher = launcherOfProgram(program);
  const isApart = launcher?.scriptApart === true;
  if (scheduler === undefined) {
    const message = less('CPU', got.cpusPerNode, cpusPerNode);
    return message === undefined
      ? []
      : [{ ...problem(job.name, message), severity: 'warning', hint: 'its programs share the CPUs, and take longer' }];
  }
  const isHidden = launcher !== undefined && scheduler.hidesHostsUnder?.includes(launcher.name);
  const hosts = isHidden ? undefined : got.hosts;
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

/** The allocation of this job, from its environment. */
export function allocationOf(job: JobEnvironment, target: TargetName, env: NodeJS.ProcessEnv): Got {
  const gpusPerNode = visibleGpus(target, env) ?? nvidiaGpus();
  return { hosts: job.hosts.length, cpusPerNode: job.cpusPerNode, gpusPerNode };
}

/** GPUs that the scheduler lets this job see on this node; undefined where it says nothing. */
export function visibleGpus(target: TargetName, env: NodeJS.ProcessEnv): number | undefined {
  const onNode = env[queriesOf[target]?.variables?.gpus ?? ''];
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
