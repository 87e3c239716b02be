import type { Event } from '../../ir/index.js';
import { wholeNumber } from '../directives.js';
import { mpiVariables, startingWith } from '../outer-job.js';
import { quoteDirectiveValue } from '../quoting.js';
import type { Directive, Target } from '../target.js';
import { joinRequirements, lsfDirectives, lsfRefusals, splitRequirement } from './directives.js';
import { probeLsf } from './probe.js';
import { lsfQueries } from './queries.js';

const conditions: Readonly<Record<Event, string>> = {
  completed: 'done',
  failed: 'exit',
  ended: 'ended',
  started: 'started',
};

/** True of a job whose script runs on a launch node, which is no part of its nodes: those come whole. */
function hasLaunchNode(directives: readonly Directive[]): boolean {
  return directives.some(({ flag }) => flag === '-nnodes' || flag === '-csm');
}

/** Position of the first word of LSB_MCPU_HOSTS that is a node of the job. */
function firstPair(directives: readonly Directive[]): number {
  return hasLaunchNode(directives) ? 3 : 1;
}

/** Slots of the job's first node. */
function firstSlots(directives: readonly Directive[]): string {
  return `$(awk '{ print $${firstPair(directives) + 1} }' <<<"$LSB_MCPU_HOSTS")`;
}

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
    // LSB_MCPU_HOSTS holds pairs of host and slots; the first one is the launch node's where there is one.
    hosts: (directives) =>
      `$(awk '{ for (i = ${firstPair(directives)}; i <= NF; i += 2) print $i }' <<<"$LSB_MCPU_HOSTS" | paste -s -d ' ' -)`,
    cpusPerNode: firstSlots,
    // Such a job asks for one slot of a node, and has all of it.
    cpusPerWholeNode: (directives) => (hasLaunchNode(directives) ? firstSlots(directives) : '$(nproc --all)'),
    // Array indices start at 1.
    arrayIndex: '$((LSB_JOBINDEX - 1))',
  },
  // jsrun's, of the step that the job was submitted from.
  outerVariables: () => [startingWith('JSM_'), ...mpiVariables],
  directives: lsfDirectives,
  refusals: lsfRefusals,
  splitDirective: splitRequirement,
  joinDirectives: joinRequirements,
  wholeNodes: /^-x$/,
  wordFlags: { queue: '-q', qos: '-sla', account: '-P', reservation: '-U' },
  nodesOf: ({ flag, value }) => (flag === '-nnodes' ? wholeNumber(value) : undefined),
  aliases: [],
  rivals: [/^-(n|nnodes) /, /^-oo? /, /^-eo? /, /^-is? /, /^-rn?$/],
  formatDirective: ({ flag, resource, value }) => {
    if (value === undefined) return flag;
    return `${flag} ${quoteDirectiveValue(resource === undefined ? String(value) : `${resource}[${value}]`)}`;
  },
  dependency: (after) =>
    after.length === 0
      ? []
      : // A condition that can never be met would wait for ever without -ti.
        ['-w', after.map(({ id, event }) => `${conditions[event]}(${id})`).join(' && '), '-ti'],
  queries: lsfQueries,
  probe: probeLsf,
};
