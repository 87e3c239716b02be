import type { Cluster, Job, Run, SchedulerStandIn } from '../../standins.js';
import { sacct, squeue } from './ask.js';
import { scancel, scontrol } from './control.js';
import { sbatch } from './sbatch.js';
import { foldCounts, foldHosts } from './values.js';

/** Slurm 22.05 with cores and memory as consumable resources. */
export const slurmStandIn: SchedulerStandIn = {
  name: 'slurm',
  commands: { sbatch, squeue, sacct, scancel, scontrol },
  readsStdin: ['sbatch'],
  environment: (job, run, cluster) => ({ env: environment(job, run, cluster), files: {} }),
  outputPath,
  jobOf: (env) => {
    const id = env['SLURM_ARRAY_JOB_ID'] ?? env['SLURM_JOB_ID'] ?? env['SLURM_JOBID'];
    if (id === undefined) return undefined;
    const index = env['SLURM_ARRAY_TASK_ID'];
    return index === undefined ? { id } : { id, index: Number(index) };
  },
  launchers: ['srun', 'mpirun', 'orterun', 'mpiexec'],
};

function environment({ id, request }: Job, run: Run, cluster: Cluster): Record<string, string> {
  const [first = request.components[0]] = request.components;
  if (first === undefined) throw new Error('a job without components');
  const names = run.components.map((nodes) => foldHosts(nodes));
  const own = (run.components[0] ?? []).length;
  const tasks = first.tasks ?? (first.tasksPerNode ?? 1) * first.nodes;
  const end = request.walltimeSeconds === undefined ? undefined : (run.startedAt ?? 0) + request.walltimeSeconds;
  const env: Record<string, string> = {
    SLURM_JOB_ID: run.ownId,
    SLURM_JOBID: run.ownId,
    SLURM_JOB_NAME: request.name,
    SLURM_JOB_NODELIST: names[0] ?? '',
    SLURM_NODELIST: names[0] ?? '',
    SLURM_JOB_NUM_NODES: String(own),
    SLURM_NNODES: String(own),
    SLURM_JOB_CPUS_PER_NODE: foldCounts(Array(own).fill(first.cpusPerNode)),
    SLURM_CPUS_ON_NODE: String(first.cpusPerNode),
    SLURM_TASKS_PER_NODE: foldCounts(Array(own).fill(first.tasksPerNode ?? Math.ceil(tasks / first.nodes))),
    SLURM_SUBMIT_DIR: request.cwd,
    SLURM_SUBMIT_HOST: cluster.loginNode,
    SLURM_CLUSTER_NAME: cluster.name,
    SLURM_JOB_PARTITION: request.queue ?? 'main',
    SLURM_JOB_USER: cluster.user.name,
    SLURM_JOB_UID: String(cluster.user.uid),
    SLURM_JOB_START_TIME: String(Math.floor(cluster.wallClock(run.startedAt) / 1000)),
    SLURMD_NODENAME: run.host ?? '',
    SLURM_NODEID: '0',
    SLURM_PROCID: '0',
    SLURM_LOCALID: '0',
    SLURM_GTIDS: '0',
    SLURM_PRIO_PROCESS: '0',
    SLURM_MEM_PER_NODE: String(first.memoryMiB),
    ENVIRONMENT: 'BATCH',
  };
  if (end !== undefined) env['SLURM_JOB_END_TIME'] = String(Math.floor(cluster.wallClock(end) / 1000));
  if (first.tasks !== undefined || first.tasksPerNode !== undefined) env['SLURM_NTASKS'] = String(tasks);
  if (first.tasks !== undefined || first.tasksPerNode !== undefined) env['SLURM_NPROCS'] = String(tasks);
  if (first.tasksPerNode !== undefined) env['SLURM_NTASKS_PER_NODE'] = String(first.tasksPerNode);
  if (first.cpusPerTask !== undefined) env['SLURM_CPUS_PER_TASK'] = String(first.cpusPerTask);
  if (first.gpusPerNode > 0) Object.assign(env, gpus(first.gpusPerNode));
  if (run.restarts > 0) env['SLURM_RESTART_COUNT'] = String(run.restarts);
  if (run.index !== undefined) Object.assign(env, arrayVariables(id, request.array?.indices ?? [], run.index));
  if (request.components.length > 1) {
    env['SLURM_HET_SIZE'] = String(request.components.length);
    for (const [place, component] of request.components.entries()) {
      const nodes = run.components[place] ?? [];
      env[`SLURM_JOB_ID_HET_GROUP_${place}`] = String(Number(id) + place);
      env[`SLURM_JOB_NODELIST_HET_GROUP_${place}`] = names[place] ?? '';
      env[`SLURM_JOB_NUM_NODES_HET_GROUP_${place}`] = String(nodes.length);
      env[`SLURM_JOB_CPUS_PER_NODE_HET_GROUP_${place}`] = foldCounts(Array(nodes.length).fill(component.cpusPerNode));
    }
  }
  return env;
}

function gpus(count: number): Record<string, string> {
  const list = Array.from({ length: count }, (_, one) => one).join(',');
  return {
    SLURM_GPUS_ON_NODE: String(count),
    SLURM_GPUS_PER_NODE: String(count),
    SLURM_JOB_GPUS: list,
    CUDA_VISIBLE_DEVICES: list,
    GPU_DEVICE_ORDINAL: list,
  };
}

function arrayVariables(id: string, indices: readonly number[], index: number): Record<string, string> {
  return {
    SLURM_ARRAY_JOB_ID: id,
    SLURM_ARRAY_TASK_ID: String(index),
    SLURM_ARRAY_TASK_COUNT: String(indices.length),
    SLURM_ARRAY_TASK_MIN: String(Math.min(...indices)),
    SLURM_ARRAY_TASK_MAX: String(Math.max(...indices)),
    SLURM_ARRAY_TASK_STEP: String(indices.length > 1 ? (indices[1] ?? 0) - (indices[0] ?? 0) : 1),
  };
}

function outputPath(pattern: string, { id, request }: Job, run: Run): string {
  if (pattern.startsWith('\\\\')) return pattern.slice(2);
  const values: Readonly<Record<string, string>> = {
    j: run.ownId,
    J: run.ownId,
    A: id,
    a: String(run.index ?? 0),
    x: request.name,
    N: run.host ?? '',
    n: '0',
    t: '0',
    s: 'batch',
    u: 'user',
    '%': '%',
  };
  return pattern.replace(/%(\d*)([A-Za-z%])/g, (whole, width: string, letter: string) => {
    const value = values[letter];
    if (value === undefined) return whole;
    return /^\d+$/.test(value) ? value.padStart(Number(width), '0') : value;
  });
}
