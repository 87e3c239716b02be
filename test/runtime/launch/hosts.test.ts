import { describe, expect, test } from 'vitest';
import { readJobEnvironment } from '../../../src/runtime/job/job-environment.js';
import { HostPool, membersAtATime } from '../../../src/runtime/launch/hosts.js';

const jobOn = (hosts: string, cpus?: string) =>
  readJobEnvironment({ SIMWRIGHT_JOB: 'main', SIMWRIGHT_HOSTS: hosts, SIMWRIGHT_CPUS_PER_NODE: cpus }, '/dir');

describe('membersAtATime', () => {
  test.each([
    ['n1 n2', '8', { nodes: 1, tasks: 4, cpusPerTask: 1 }, 4],
    ['n1 n2', '8', { nodes: 1, tasks: 1, cpusPerTask: 3 }, 5],
    ['n1 n2 n3', '8', { nodes: 2, tasks: 2, cpusPerTask: 1 }, 1],
    ['n1', '2', { nodes: 1, tasks: 64, cpusPerTask: 1 }, 1],
    ['n1 n2 n3 n4', undefined, { nodes: 2, tasks: 2, cpusPerTask: 1 }, 2],
  ])('%s with %s CPUs each', (hosts, cpus, size, expected) => {
    const tasksPerNode = size.tasks / size.nodes;
    expect(membersAtATime(jobOn(hosts, cpus), { ...size, tasksPerNode })).toBe(expected);
  });
});

test('HostPool hands out those with the fewest members', () => {
  const pool = new HostPool(['a', 'b', 'c']);
  expect(pool.take(2)).toEqual(['a', 'b']);
  expect(pool.take(1)).toEqual(['c']);
  pool.give(['b']);
  expect(pool.take(1)).toEqual(['b']);
});
