import { dependencyList } from '../dependencies.js';
import { wholeNumber, withoutResource } from '../directives.js';
import { quoteDirectiveValue } from '../quoting.js';
import type { Target } from '../target.js';
import { slurmAliases } from './aliases.js';
import { slurmDirectives } from './directives.js';
import { slurmOuterVariables } from './outer-job.js';
import { probeSlurm } from './probe.js';
import { slurmQueries } from './queries.js';

/** Slurm: sbatch, srun. */
export const slurm: Target<'slurm'> = {
  name: 'slurm',
  scriptExtension: 'sbatch',
  sentinel: '#SBATCH',
  defaultLauncher: 'srun',
  launchers: ['srun', 'mpirun', 'orterun', 'mpiexec', 'none'],
  // MaxArraySize is 1001 by default: indices 0 to 1000.
  capabilities: {
    oneNode: false,
    jobArrays: true,
    heterogeneousJobs: true,
    maxArraySize: 1001,
    minArraySize: 1,
    severalHosts: true,
    gpus: true,
    handsOnVariables: true,
    excludedHosts: true,
    arraysFailWithElements: true,
    unstartedEndChains: false,
    jobEvents: ['started', 'completed', 'failed', 'ended'],
  },
  variables: {
    submitFolder: `"\${SLURM_SUBMIT_DIR:?}"`,
    // Each element of an array has its own.
    jobId: '$SLURM_JOB_ID',
    hosts: `$(scontrol show hostnames "$SLURM_JOB_NODELIST" | paste -s -d ' ' -)`,
    // SLURM_JOB_NODELIST holds the first component's.
    componentHosts: `$(
  for ((i = 0; i < SLURM_HET_SIZE; i++)); do
    list=SLURM_JOB_NODELIST_HET_GROUP_$i
    scontrol show hostnames "\${!list}"
  done | paste -s -d ' ' -
)`,
    cpusPerNode: '$SLURM_CPUS_ON_NODE',
    arrayIndex: '$SLURM_ARRAY_TASK_ID',
  },
  outerVariables: slurmOuterVariables,
  directives: slurmDirectives,
  splitDirective: withoutResource,
  wholeNodes: /^--exclusive$/,
  wordFlags: {
    queue: '--partition',
    qos: '--qos',
    account: '--account',
    reservation: '--reservation',
    constraint: '--constraint',
  },
  nodesOf: ({ flag, value }) =>
    /^(--nodes|-N)$/.test(flag) ? wholeNumber(/[^-]*$/.exec(String(value))?.[0]) : undefined,
  aliases: slurmAliases,
  rivals: [/^--mem(-per-(cpu|gpu))?\b/, /^(--gpus(-per-(node|socket|task))?|-G|--gres=gpu)\b/],
  memoryFlag: '--mem',
  componentSeparator: '#SBATCH hetjob',
  wholeJobFlags:
    /^--(job-name|comment|output|error|input|open-mode|mail-type|mail-user|array|dependency|begin|signal|(no-)?requeue|export|chdir|wckey)$/,
  // sbatch would take the `=` after one letter for a part of the value.
  formatDirective: ({ flag, value }) => {
    if (value === undefined) return flag;
    return `${flag}${/^-[^-]$/.test(flag) ? ' ' : '='}${quoteDirectiveValue(String(value))}`;
  },
  // A dependency that can never be met waits for ever without --kill-on-invalid-dep.
  dependency: (after) =>
    after.length === 0 ? [] : [`--dependency=${dependencyList(after)}`, '--kill-on-invalid-dep=yes'],
  queries: slurmQueries,
  probe: probeSlurm,
};
