import { describe, expect, test } from 'vitest';
import { hostPositions } from '../../../src/runtime/job/hosts.js';
import { readJobEnvironment } from '../../../src/runtime/job/job-environment.js';
import { membersAtATime, onGroup } from '../../../src/runtime/launch/hosts.js';
import { makeJob } from '../support/make-plan.js';

const jobOn = (hosts: string, cpus?: string) =>
  readJobEnvironment({ SIMWRIGHT_JOB: 'main', SIMWRIGHT_HOSTS: hosts, SIMWRIGHT_CPUS_PER_NODE: cpus }, '/dir');

describe('membersAtATime', () => {
  test.each([
    ['n1 n2', '8', undefined, { nodes: 1, tasks: 4, cpusPerTask: 1 }, 4],
    ['n1 n2', '8', undefined, { nodes: 1, tasks: 1, cpusPerTask: 3 }, 4],
    ['n1 n2 n3', '8', undefined, { nodes: 2, tasks: 2, cpusPerTask: 1 }, 1],
    ['n1', '2', undefined, { nodes: 1, tasks: 64, cpusPerTask: 1 }, 1],
    ['n1 n2 n3 n4', undefined, undefined, { nodes: 2, tasks: 2, cpusPerTask: 1 }, 2],
    ['n1 n2 n3', undefined, 4, { nodes: 1, tasks: 1, cpusPerTask: 1 }, 3],
    ['n1 n2', '8', 4, { nodes: 1, tasks: 1, cpusPerTask: 1, gpusPerNode: 1 }, 8],
    ['n1 n2', '8', 4, { nodes: 1, tasks: 1, cpusPerTask: 1, gpusPerNode: 3 }, 2],
    ['n1 n2', '8', undefined, { nodes: 1, tasks: 1, cpusPerTask: 4, gpusPerNode: 3 }, 4],
  ])('%s with %s CPUs and %s GPUs each', (hosts, cpus, gpusPerNode, size, expected) => {
    const tasksPerNode = size.tasks / size.nodes;
    expect(membersAtATime({ ...jobOn(hosts, cpus), gpusPerNode }, { ...size, tasksPerNode })).toBe(expected);
  });
});

describe('the hosts of a group', () => {
  const job = jobOn('n1 n2 n3 n4 n5', '8');
  const planned = makeJob({
    allocation: { nodes: 3, exclusive: false, gpusPerNode: 2 },
    components: [{ nodes: 2, exclusive: false, cpusPerNode: 4 }],
    groups: [
      { component: 0, first: 0, nodes: 1 },
      { component: 0, first: 1, nodes: 2 },
      { component: 1, first: 0, nodes: 2 },
    ],
  });

  test('follow those of the groups and components before it', () => {
    expect([0, 1, 2].map((group) => hostPositions(job, planned, group))).toEqual([[0], [1, 2], [3, 4]]);
    expect(onGroup(job, planned, 1)).toEqual({ hosts: ['n2', 'n3'], cpusPerNode: 8, gpusPerNode: 2 });
    expect(onGroup(job, planned, 2)).toEqual({ hosts: ['n4', 'n5'], cpusPerNode: 4, gpusPerNode: undefined });
  });

  test('are all that came, where there is but one', () => {
    expect(hostPositions(job, makeJob({ allocation: { nodes: 2, exclusive: false } }), 0)).toEqual([0, 1, 2, 3, 4]);
  });
});
