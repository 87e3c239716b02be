import { wholeNumber, withoutResource } from '../directives.js';
import type { Target } from '../target.js';
import { cobaltDirectives, cobaltRefusals } from './directives.js';
import { cobaltQueries } from './queries.js';

/** Cobalt, the scheduler of Argonne's machines until 2023: qsub, and aprun on a Cray XC. */
export const cobalt: Target<'cobalt'> = {
  name: 'cobalt',
  scriptExtension: 'cobalt',
  sentinel: '#COBALT',
  defaultLauncher: 'aprun',
  launchers: ['aprun', 'mpiexec', 'mpirun', 'orterun', 'none'],
  capabilities: {
    oneNode: false,
    jobArrays: false,
    heterogeneousJobs: false,
    maxArraySize: 1,
    minArraySize: 1,
    severalHosts: true,
    gpus: false,
    handsOnVariables: false,
    excludedHosts: false,
    arraysFailWithElements: false,
    unstartedEndChains: false,
    jobEvents: ['completed'],
  },
  variables: {
    // Jobs start in the folder that they were submitted from.
    submitFolder: '"$PWD"',
    jobId: '$COBALT_JOBID',
    // Clusters have a file of hosts, the XC ranges of node ids: 3080-3085,3090.
    hosts: `$(
  if [ -e "\${COBALT_NODEFILE-}" ]; then
    awk '!seen[$0]++' "$COBALT_NODEFILE"
  else
    tr ',' '\\n' <<<"$COBALT_PARTNAME" | awk -F- '{ for (i = $1; i <= $NF; i++) print i }'
  fi | paste -s -d ' ' -
)`,
    // The script runs on a service node, whose CPUs say nothing.
    cpusPerNode: "''",
    arrayIndex: '$SIMWRIGHT_ARRAY_INDEX',
  },
  directives: cobaltDirectives,
  splitDirective: withoutResource,
  wholeNodes: true,
  wordFlags: { queue: '-q', account: '-A' },
  nodesOf: ({ flag, value }) => (/^(-n|--nodecount)$/.test(flag) ? wholeNumber(value) : undefined),
  aliases: [
    ['-A', '--project'],
    ['-e', '--error'],
    ['-h', '--held'],
    ['-i', '--inputfile'],
    ['-K', '--kerneloptions'],
    ['-M', '--notify'],
    ['-n', '--nodecount'],
    ['-o', '--output'],
    ['-O', '--outputprefix'],
    ['-q', '--queue'],
    ['-t', '--time'],
    ['-u', '--umask'],
  ],
  directivesFirst: true,
  refusals: cobaltRefusals,
  // Without quotes, which Cobalt would take for a part of the value.
  formatDirective: ({ flag, value }) => (value === undefined ? flag : `${flag} ${value}`),
  // Cobalt knows one kind: all of them have ended well.
  dependency: (after) => (after.length === 0 ? [] : ['--dependencies', after.map(({ id }) => id).join(':')]),
  isLog: (file, job) => file.startsWith(job) && /^(-\d+)?\.(output|error|cobaltlog)$/.test(file.slice(job.length)),
  queries: cobaltQueries,
};
