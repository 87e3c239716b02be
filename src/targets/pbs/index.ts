import { dependencyList } from '../dependencies.js';
import { quoteDirectiveValue } from '../quoting.js';
import type { Target } from '../target.js';
import { cpusOfFirstChunk, nodesOfSelect, pbsDirectives, pbsRefusals, splitResources } from './directives.js';
import { probePbs } from './probe.js';
import { pbsQueries } from './queries.js';

/** PBS Professional and OpenPBS: qsub. */
export const pbs: Target<'pbs'> = {
  name: 'pbs',
  scriptExtension: 'pbs',
  sentinel: '#PBS',
  defaultLauncher: 'mpiexec',
  launchers: ['mpiexec', 'mpirun', 'orterun', 'pals', 'aprun', 'none'],
  // max_array_size is 10000 by default; a range of one element is refused.
  capabilities: {
    oneNode: false,
    jobArrays: true,
    heterogeneousJobs: true,
    maxArraySize: 10_000,
    minArraySize: 2,
    severalHosts: true,
    gpus: true,
    handsOnVariables: true,
    excludedHosts: false,
    arraysFailWithElements: false,
    unstartedEndChains: true,
    jobEvents: ['started', 'completed', 'failed', 'ended'],
  },
  variables: {
    submitFolder: `"\${PBS_O_WORKDIR:?}"`,
    jobId: '$PBS_JOBID',
    hosts: `$(awk '!seen[$0]++' "$PBS_NODEFILE" | paste -s -d ' ' -)`,
    cpusPerNode: cpusOfFirstChunk,
    // PBS says those that were asked for. Control groups may hold the job to them; nproc sees that, and would see the threads of OpenMP too.
    cpusPerWholeNode: '$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)',
    arrayIndex: '$PBS_ARRAY_INDEX',
  },
  directives: pbsDirectives,
  refusals: pbsRefusals,
  wholeNodes: /^-l "?place=.*excl/,
  wordFlags: { queue: '-q', account: '-A' },
  nodesOf: nodesOfSelect,
  aliases: [],
  // The old way of asking for nodes excludes both of the new one's directives.
  rivals: [/^-l "?(select|nodes)=/, /^-l "?(place|nodes)=/],
  splitDirective: splitResources,
  formatDirective: ({ flag, resource, value }) =>
    [
      flag,
      ...(resource === undefined
        ? value === undefined
          ? []
          : [quoteDirectiveValue(String(value))]
        : [quoteDirectiveValue(value === undefined ? resource : `${resource}=${value}`)]),
    ].join(' '),
  dependency: (after) => (after.length === 0 ? [] : ['-W', `depend=${dependencyList(after)}`]),
  // 1234.server.OU, 1234[7].server.OU
  isLog: (file, _job, ids) => ids.some((id) => file.startsWith(`${id}.`) || file.startsWith(`${id}[`)),
  queries: pbsQueries,
  probe: probePbs,
};
