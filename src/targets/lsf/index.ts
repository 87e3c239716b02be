import type { Event } from '../../ir/index.js';
import { mpiVariables, startingWith } from '../outer-job.js';
import { quoteDirectiveValue } from '../quoting.js';
import type { Target } from '../target.js';
import { lsfDirectives } from './directives.js';
import { probeLsf } from './probe.js';
import { lsfQueries } from './queries.js';

const conditions: Readonly<Record<Event, string>> = {
  completed: 'done',
  failed: 'exit',
  ended: 'ended',
  started: 'started',
};

/** IBM Spectrum LSF: bsub; jsrun where the job step manager is there. */
export const lsf: Target<'lsf'> = {
  name: 'lsf',
  scriptExtension: 'lsf',
  sentinel: '#BSUB',
  defaultLauncher: 'jsrun',
  launchers: ['jsrun', 'mpiexec', 'mpirun', 'orterun', 'none'],
  // MAX_JOB_ARRAY_SIZE is 1000 by default.
  capabilities: {
    oneNode: false,
    jobArrays: true,
    heterogeneousJobs: true,
    maxArraySize: 1000,
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
    submitFolder: `"\${LS_SUBCWD:?}"`,
    jobId: '$LSB_JOBID',
    // As bjobs and bkill name an element.
    elementId: `"\${LSB_JOBID}[\${LSB_JOBINDEX}]"`,
    // LSB_MCPU_HOSTS holds pairs of host and slots.
    hosts: `$(tr -s ' ' '\\n' <<<"$LSB_MCPU_HOSTS" | awk 'NR % 2 && NF' | paste -s -d ' ' -)`,
    cpusPerNode: `$(tr -s ' ' '\\n' <<<"$LSB_MCPU_HOSTS" | awk 'NF' | tail -n 1)`,
    // Array indices start at 1.
    arrayIndex: '$((LSB_JOBINDEX - 1))',
  },
  // jsrun's, of the step that the job was submitted from.
  outerVariables: () => [startingWith('JSM_'), ...mpiVariables],
  directives: lsfDirectives,
  wholeNodes: /^-x$/,
  aliases: [],
  rivals: [/^-(n|nnodes) /, /^-oo? /, /^-eo? /, /^-is? /, /^-rn?$/],
  formatDirective: ({ flag, resource, value }) => {
    if (value === undefined) return flag;
    return `${flag} ${quoteDirectiveValue(resource === undefined ? String(value) : `${resource}[${value}]`)}`;
  },
  dependency: (after) =>
    after.length === 0 ? [] : ['-w', after.map(({ id, event }) => `${conditions[event]}(${id})`).join(' && ')],
  queries: lsfQueries,
  probe: probeLsf,
};
