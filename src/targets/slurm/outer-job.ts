import { optionName } from '../directives.js';
import { mpiVariables, startingWith } from '../outer-job.js';
import type { Directive } from '../target.js';
import { slurmAliases } from './aliases.js';

/** Variables that srun reads as options, by the directives that set them for the job itself. */
const optionVariables: readonly (readonly [variable: string, ...directives: string[]])[] = [
  [startingWith('SLURM_CPU_BIND')],
  ['SLURM_CPU_FREQ_REQ', '--cpu-freq'],
  ['SLURM_CPUS_PER_GPU', '--cpus-per-gpu'],
  ['SLURM_CPUS_PER_TASK', '--cpus-per-task'],
  ['SLURM_DISTRIBUTION', '--distribution'],
  ['SLURM_DIST_PLANESIZE', '--distribution'],
  ['SLURM_EXACT'],
  ['SLURM_EXCLUSIVE'],
  ['SLURM_GPUS', '--gpus'],
  ['SLURM_GPUS_PER_NODE', '--gpus-per-node'],
  ['SLURM_GPUS_PER_SOCKET', '--gpus-per-socket'],
  ['SLURM_GPUS_PER_TASK', '--gpus-per-task'],
  ['SLURM_GPU_BIND', '--gpu-bind'],
  ['SLURM_GPU_FREQ', '--gpu-freq'],
  ['SLURM_GRES', '--gres'],
  ['SLURM_HINT', '--hint'],
  ['SLURM_HOSTFILE'],
  ['SLURM_KILL_BAD_EXIT'],
  [startingWith('SLURM_MEM_BIND'), '--mem-bind'],
  ['SLURM_MEM_PER_GPU', '--mem-per-gpu'],
  ['SLURM_NTASKS_PER_CORE', '--ntasks-per-core'],
  ['SLURM_NTASKS_PER_GPU', '--ntasks-per-gpu'],
  ['SLURM_NTASKS_PER_SOCKET', '--ntasks-per-socket'],
  ['SLURM_OVERCOMMIT', '--overcommit'],
  ['SLURM_OVERLAP'],
  ['SLURM_REMOTE_CWD'],
  ['SLURM_THREADS_PER_CORE', '--threads-per-core'],
  ['SLURM_TRES_BIND', '--tres-bind'],
  ['SLURM_TRES_PER_TASK', '--tres-per-task'],
  ['SLURM_WORKING_DIR'],
];

/** Variables of the step that the job was submitted from: a batch script is in no step. */
const stepVariables = [startingWith('SLURM_SRUN_COMM_'), startingWith('SLURM_STEP_'), 'SLURM_STEPID'];

/**
 * Variables that a script must not hand to its steps, except those of its own directives. `SLURM_EXPORT_ENV` is not from an outer job: with
 * `--export=NONE` the job itself has it, and each srun would start its application without the environment that the runtime gives it.
 */
export function slurmOuterVariables(directives: readonly Directive[]): readonly string[] {
  const flags = new Set(directives.map(({ flag }) => optionName({ aliases: slurmAliases }, flag)));
  const options = optionVariables.flatMap(([variable, ...own]) =>
    own.some((flag) => flags.has(flag)) ? [] : [variable],
  );
  // srun refuses to have both. Where the job names neither, Slurm's default is by CPU.
  const memory = flags.has('--mem') ? 'SLURM_MEM_PER_CPU' : 'SLURM_MEM_PER_NODE';
  return ['SLURM_EXPORT_ENV', 'SRUN_EXPORT_ENV', ...options, memory, ...stepVariables, ...mpiVariables];
}
