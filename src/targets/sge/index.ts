import { quoteDirectiveValue } from '../quoting.js';
import type { Target } from '../target.js';
import { sgeDirectives, sgeRefusals } from './directives.js';
import { probeSge } from './probe.js';
import { sgeQueries } from './queries.js';

/** Grid Engine (Sun's, Son of Grid Engine, Univa's and Altair's): qsub. */
export const sge: Target<'sge'> = {
  name: 'sge',
  scriptExtension: 'sge',
  sentinel: '#$',
  defaultLauncher: 'mpirun',
  launchers: ['mpirun', 'orterun', 'mpiexec', 'none'],
  // max_aj_tasks is 75000 by default.
  capabilities: {
    oneNode: false,
    jobArrays: true,
    heterogeneousJobs: false,
    maxArraySize: 75_000,
    minArraySize: 1,
    severalHosts: true,
    gpus: true,
    // qstat -j shows everybody the variables of every job.
    handsOnVariables: false,
    excludedHosts: true,
    arraysFailWithElements: false,
    unstartedEndChains: false,
    // It knows only that a job has ended: the runtime sees how.
    jobEvents: ['completed', 'failed', 'ended'],
  },
  variables: {
    submitFolder: `"\${SGE_O_WORKDIR:?}"`,
    jobId: '$JOB_ID',
    // As qdel names an element.
    elementId: '"$JOB_ID.$SGE_TASK_ID"',
    // A host stands in the file once for each queue that gives slots. Jobs of one slot have no file.
    hosts: `$(
  if [ -e "\${PE_HOSTFILE-}" ]; then
    awk '!seen[$1]++ { print $1 }' "$PE_HOSTFILE" | paste -s -d ' ' -
  else
    echo "$HOSTNAME"
  fi
)`,
    cpusPerNode: `$(
  if [ -e "\${PE_HOSTFILE-}" ]; then
    awk 'NR == 1 { host = $1 } $1 == host { slots += $2 } END { print slots }' "$PE_HOSTFILE"
  else
    echo 1
  fi
)`,
    // A job that has whole nodes by a resource has one slot of each.
    cpusPerWholeNode: '$(nproc --all)',
    // Indices start at 1; outside of arrays the variable says "undefined".
    arrayIndex: '$((SGE_TASK_ID - 1))',
  },
  directives: sgeDirectives,
  refusals: sgeRefusals,
  // The name that sites give it as a rule.
  wholeNodes: /^-l "?excl(usive)?(=|$)/,
  wordFlags: { queue: '-q', account: '-P', reservation: '-ar' },
  aliases: [],
  rivals: [/^-pe /, /^-c?wd\b/],
  formatDirective: ({ flag, resource, value }) => {
    // A parallel environment's name and slots are two words.
    const parts = [resource, value].filter((part) => part !== undefined);
    const words = flag === '-pe' ? parts.join(' ').split(' ') : parts.length === 0 ? [] : [parts.join('=')];
    return [flag, ...words.map((word) => (/^[$\w./@=,:-]+$/.test(word) ? word : quoteDirectiveValue(word)))].join(' ');
  },
  dependency: (after) => (after.length === 0 ? [] : ['-hold_jid', after.map(({ id }) => id).join(',')]),
  queries: sgeQueries,
  probe: probeSge,
};
