import { describe, expect, test } from 'vitest';
import { asSite, type DraftInput, draftSite, siteName } from '../../../src/cli/doctor/draft-site.js';
import { judgeShared } from '../../../src/cli/doctor/file-systems.js';
import { formatTypeScript } from '../../../src/cli/doctor/format-site.js';
import { fastInterface } from '../../../src/cli/doctor/network.js';
import { judgeGlibc, judgeNode } from '../../../src/cli/doctor/node.js';
import { judgeBash } from '../../../src/cli/doctor/system.js';

const input: DraftInput = {
  scheduler: {
    name: 'slurm',
    version: '23.11.4',
    answers: true,
    cluster: 'vega',
    maxArraySize: 4001,
    queues: [
      { name: 'gpu', isDefault: false, shapes: [] },
      {
        name: 'cpu',
        isDefault: true,
        maxWalltime: '2-00:00:00',
        maxNodes: 100,
        shapes: [
          { nodes: 12, cores: 128, gpus: 0, memoryMiB: 257_000 },
          { nodes: 4, cores: 64, gpus: 2, memoryMiB: 512_000 },
        ],
      },
    ],
  },
  launchers: { found: { srun: '/usr/bin/srun', mpirun: '/usr/bin/mpirun' }, mpi: 'Open MPI' },
  node: { version: '20.20.2', path: '/sw/node/bin/node', glibc: '2.36' },
  host: 'login1',
  cores: 32,
  nodeIsShared: true,
  interface: 'hsn0',
};

describe('a drafted site', () => {
  test('of a Slurm cluster: every field with its reason, as a file in TypeScript', () => {
    expect(formatTypeScript(draftSite(input), 'login1')).toBe(`import { defineSite } from 'simwright';

// Drafted by simwright doctor on login1. Read it, correct what was guessed, then: simwright site check FILE
export default defineSite({
  // the scheduler's own name
  name: 'vega',
  // slurm 23.11.4
  target: 'slurm',
  // the default; jobs may take 2-00:00:00; others: gpu
  defaults: { queue: 'cpu' },
  // what every node of cpu has at least; they differ (12 of 128 cores and 0 GPUs, 4 of 64 cores and 2 GPUs): .requires() or a site each for the others
  node: { cores: 64, memoryMiB: 257000 },
  // all nodes of cpu
  maxNodes: 16,
  // what the scheduler says of them
  queues: { gpu: {}, cpu: { maxNodes: 100, maxWalltime: '48:00:00' } },
  // the scheduler's own limit
  maxArraySize: 4001,
  // seen on login1: compute nodes may name theirs otherwise
  networkInterface: 'hsn0',
  // the Node.js that has written this: it lies on a network file system
  nodeCommand: '/sw/node/bin/node',
});
`);
  });

  test('has queues with their own nodes, by whatever names', () => {
    const shape = { nodes: 3, cores: 64, gpus: 0, memoryMiB: 1024 };
    const queues = [
      { name: 'cpu', isDefault: true, shapes: [shape] },
      { name: "big-'mem", isDefault: false, maxWalltime: '06:00:00', shapes: [{ ...shape, memoryMiB: 4096 }] },
    ];
    const draft = draftSite({ ...input, scheduler: { name: 'pbs', version: '23', answers: true, queues } });
    expect(asSite(draft).queues).toEqual({
      cpu: {},
      "big-'mem": { maxWalltime: '06:00:00', node: { cores: 64, memoryMiB: 4096 } },
    });
    expect(formatTypeScript(draft, 'h')).toContain(
      "  queues: { cpu: {}, 'big-\\'mem': { maxWalltime: '06:00:00', node: { cores: 64, memoryMiB: 4096 } } },\n",
    );
    const bare = queues.map(({ name, isDefault }) => ({ name, isDefault, shapes: [shape] }));
    const plain = draftSite({ ...input, scheduler: { name: 'pbs', version: '23', answers: true, queues: bare } });
    expect(asSite(plain).queues).toBeUndefined();
  });

  test('of nodes whose scheduler counts threads says so', () => {
    const shapes = [{ nodes: 3, cores: 64, threadsPerCore: 2, gpus: 0, memoryMiB: 1024 }];
    const queues = [{ name: 'cpu', isDefault: true, shapes }];
    const scheduler = { name: 'slurm', version: '23.11', answers: true, queues } as const;
    expect(asSite(draftSite({ ...input, scheduler })).node).toEqual({
      cores: 64,
      threadsPerCore: 2,
      schedulerCounts: 'threads',
      memoryMiB: 1024,
    });
  });

  test('of a machine without a scheduler', () => {
    expect(asSite(draftSite({ ...input, scheduler: undefined }))).toEqual({
      name: 'login1',
      target: 'local',
      node: { cores: 32 },
    });
  });

  test.each([
    ['pbs', { mpiexec: '/opt/cray/pals/bin/mpiexec' }, 'PALS', 'pals'],
    ['pbs', { mpiexec: '/usr/bin/mpiexec' }, 'hydra', 'mpiexec'],
    ['pbs', { mpiexec: '/usr/bin/mpiexec' }, 'Open MPI', 'mpirun'],
    ['pbs', { aprun: '/opt/cray/alps/bin/aprun' }, undefined, 'aprun'],
    ['lsf', { jsrun: '/opt/ibm/bin/jsrun' }, 'Open MPI', undefined],
    ['lsf', { mpirun: '/usr/bin/mpirun' }, 'Open MPI', 'mpirun'],
    ['slurm', { srun: '/usr/bin/srun' }, 'hydra', undefined],
  ] as const)('%s with %j, %s: launcher %s', (name, found, mpi, launcher) => {
    const scheduler = { name, version: undefined, answers: true, queues: [] };
    expect(asSite(draftSite({ ...input, scheduler, launchers: { found, mpi } })).launcher).toBe(launcher);
  });

  test('what others call a cluster becomes a name and a comment, and nothing else', () => {
    const cluster = "1st 'cluster'\n} evil({";
    const text = formatTypeScript(draftSite({ ...input, scheduler: { ...input.scheduler, cluster } as never }), 'a\nb');
    expect(text).toContain("  name: 'st-cluster-evil-',\n");
    expect(text).toContain('// Drafted by simwright doctor on a b. Read');
    expect(siteName('42')).toBe('cluster');
  });

  test('texts with quotes and backslashes stay what they are', () => {
    const path = '/sw/it\'s\\new "one"/node';
    const text = formatTypeScript(draftSite({ ...input, node: { ...input.node, path } }), 'h');
    const [, literal = ''] = /nodeCommand: (.*),/.exec(text) ?? [];
    // biome-ignore lint/security/noGlobalEval: the literal is read as the language reads it
    expect(eval(literal)).toBe(path);
  });
});

test.each([
  [['eth0', 'ib0', 'hsn1', 'hsn0'], 'hsn0'],
  [['eno1', 'ib1', 'ib0'], 'ib0'],
  [['ibp65s0', 'eth0'], 'ibp65s0'],
  [['eth0', 'docker0'], undefined],
])('of %j the fast one is %s', (names, expected) => {
  expect(fastInterface(names)).toBe(expected);
});

describe('what is a problem', () => {
  test.each([
    ['2.36', 'ok'],
    ['2.28', 'ok'],
    ['2.17', 'problem'],
    [undefined, 'problem'],
  ])('glibc %s: %s', (version, verdict) => {
    expect(judgeGlibc(version).verdict).toBe(verdict);
  });

  test.each([
    ['5.2.15(1)-release', 'ok'],
    ['4.4.20(1)-release', 'ok'],
    ['4.2.46(2)-release', 'problem'],
    [undefined, 'problem'],
  ])('bash %s: %s', (version, verdict) => {
    expect(judgeBash(version).verdict).toBe(verdict);
  });

  test('an old Node.js', () => {
    expect(judgeNode({ version: '18.20.4', path: '/usr/bin/node' })).toMatchObject({
      verdict: 'problem',
      message: '18.20.4; 20.19 or newer is needed',
    });
  });

  test('a folder of this machine alone, where there is a scheduler', () => {
    const place = (type: string, isNetwork: boolean | undefined) => ({ path: '/p', type, isNetwork, freeBytes: 1 });
    expect(judgeShared([place('ext', false)], true)).toMatchObject({ verdict: 'warning' });
    expect(judgeShared([place('FUSE', undefined)], true).message).toContain('may be one of this machine alone');
    expect(judgeShared([place('Lustre', true), place('ext', false)], true)).toMatchObject({ verdict: 'ok' });
    expect(judgeShared([place('ext', false)], false)).toMatchObject({ verdict: 'ok' });
  });
});
