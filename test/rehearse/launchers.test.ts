import { describe, expect, it, test } from 'vitest';
import { launchers } from '../../src/rehearse/launchers/index.js';
import type { Allocation, Answer, Call, Launch, Refusal } from '../../src/rehearse/standins.js';
import { allocationOf, callOf, nodesOf } from './truth/asked.js';

/** Three nodes of four CPUs and two GPUs. */
const three = allocationOf(nodesOf(3, { gpus: 2 }));

function called(line: string, more: Partial<Call> = {}, allocation: Allocation | undefined = three) {
  const call = callOf(line, { env: { A: '1' }, ...more });
  return launchers[call.name]?.(call, allocation) as Launch | Refusal | Answer;
}

function launched(line: string, more: Partial<Call> = {}, allocation = three): Launch {
  const answer = called(line, more, allocation);
  if (!('ranks' in answer)) throw new Error(answer.stderr);
  return answer;
}

/** Ranks as `HOST:PROGRAM`. */
const places = ({ ranks }: Launch) => ranks.map(({ node, command }) => `${node}:${command[0]}`).join(' ');

/** An explicit resource file for jsrun. */
const erf = (...lines: string[]) => ({
  readFile: (path: string) => (path === 'erf' ? `overlapping_rs: warn\n${lines.join('\n')}\n` : undefined),
});

describe('launch lines that are taken, by the places of their ranks', () => {
  it.each<[string, string]>([
    ['mpiexec -n 4 --ppn 2 --cpu-bind none a', 'node1:a node1:a node2:a node2:a'],
    ['mpiexec -n 2 --ppn 1 --depth 4 --cpu-bind depth a', 'node1:a node2:a'],
    ['mpiexec -n 2 --ppn 2 --hosts node3 --cpu-bind none a', 'node3:a node3:a'],
    ['mpiexec -n 2 --ppn 2 --cpu-bind list:0-1:2-3 a : -n 2 --ppn 1 b', 'node1:a node1:a node2:b node3:b'],
    ['mpiexec --np=1 --ppn=1 --gpu-bind=list:0:1 --mem-bind=local a', 'node1:a'],
    ['aprun -n 4 -N 2 -d 2 -cc depth a', 'node1:a node1:a node2:a node2:a'],
    ['aprun -n 6 a', 'node1:a node1:a node1:a node1:a node2:a node2:a'],
    ['aprun -n4 -N4 -L 2 a', 'node2:a node2:a node2:a node2:a'],
    ['aprun -n 1 -N 1 -L 1,3 a : -n 1 -N 1 b', 'node1:a node3:b'],
    ['aprun -n 2 -N 1 -E 1 -m 512m -j 1 -e B=2 -q a', 'node2:a node3:a'],
    ['jsrun -n 2 -a 2 -c 4 -g 1 -r 1 -b packed:2 a', 'node1:a node1:a node2:a node2:a'],
    ['jsrun -n6 -a1 -c2 -r2 a', 'node1:a node1:a node2:a node2:a node3:a node3:a'],
    [
      'jsrun --nrs=3 --tasks_per_rs=1 --cpu_per_rs=ALL_CPUS --gpu_per_rs=ALL_GPUS --rs_per_host=1 a',
      'node1:a node2:a node3:a',
    ],
    ['jsrun -p 2 a', 'node1:a node1:a'],
    ['jsrun --nrs 1 --exit_on_error 1 --smpiargs=-gpu --stdio_mode prepended a', 'node1:a'],
    ['mpiexec -n 2 -hosts node1,node2 a --ppn 3 -d', 'node1:a node2:a'],
    ['blaunch node2 a', 'node2:a'],
    ['blaunch -z "node3 node1" a', 'node3:a node1:a'],
    ['blaunch -n node2 a b', 'node2:a'],
    ['pbs_tmrsh node2 a', 'node2:a'],
    ['qrsh -inherit node2 a', 'node2:a'],
    ['lsrun -m node2 a', 'node2:a'],
  ])('%s', (line, wanted) => {
    expect(places(launched(line))).toBe(wanted);
  });
});

describe('launch lines that are refused', () => {
  it.each([
    'mpiexec -n 2 --ppn 4 a',
    'mpiexec -n 8 --ppn 1 a',
    'mpiexec -n 4 --ppn 4 --depth 2 a',
    'mpiexec -n 2 --ppn 1 --hosts node9 a',
    'mpiexec -n 2 --ppn 1 --hosts node1:2 a',
    'mpiexec -n 2 --ppn 1 --cpu-bind cores a',
    'mpiexec -n 2 --ppn 1 --map-by node a',
    'mpiexec -n 2 --ppn 1',
    'mpiexec -n x --ppn 1 a',
    'aprun -n 2 -N 4 a',
    'aprun -n 8 -N 2 a',
    'aprun -n 4 -N 4 -d 2 a',
    'aprun -n 2 -N 2 -L nid00001 a',
    'aprun -n 2 -N 2 -L 9 a',
    'aprun -n 2 -cc cores a',
    'aprun -n 2 -m m a',
    'aprun -n 2 --hosts node1 a',
    'aprun -n 2',
    'jsrun -n 2 -p 2 a',
    'jsrun -n 4 -r 2 -c 4 a',
    'jsrun -n 4 -r 1 a',
    'jsrun -n 1 -c 8 a',
    'jsrun -n 2 -r 2 -g 2 a',
    'jsrun -n 1 -a 2 -c 2 -b packed:2 a',
    'jsrun -n 1 -c 0 a',
    'jsrun -n 1 -d blocked a',
    'jsrun -n 1 --tasks_per_host=2 a',
    'jsrun -n 1 -U erf a',
    'jsrun -U nofile a',
    'jsrun -n 1',
    'blaunch node9 a',
    'blaunch node1',
    'blaunch -q node1 a',
    'pbsdsh -n x a',
    'pbsdsh',
    'pbs_tmrsh node9 a',
    'qrsh hostname',
  ])('%s', (line) => {
    const answer = called(line, { env: { PBS_NODEFILE: 'nodes' }, readFile: () => undefined });
    expect(answer).not.toHaveProperty('ranks');
    expect(answer).toMatchObject({ stderr: expect.stringMatching(/\S/), code: expect.any(Number) });
    expect((answer as Refusal).code).toBeGreaterThan(0);
  });

  it.each(['mpiexec -n 1 --ppn 1 a', 'aprun -n 1 a', 'jsrun -n 1 a', 'blaunch node1 a', 'pbsdsh a'])(
    '%s outside a job',
    (line) => {
      const call = callOf(line);
      expect(launchers[call.name]?.(call, undefined)).not.toHaveProperty('ranks');
    },
  );
});

describe('explicit resource files', () => {
  it('place each rank, by the numbers of hosts or by their names, each with its program', () => {
    const file = erf(
      'app 0: ocean --in a',
      'app 1: ice',
      'rank: 0-1: { host: 2; cpu: {0-1},{2} } : app 0',
      'rank: 2: { hostname: node1; cpu: {0-3}; gpu: {0,1} } : app 1',
    );
    const launch = launched('jsrun --erf_input=erf', file);
    expect(places(launch)).toBe('node2:ocean node2:ocean node1:ice');
    expect(launch.ranks.map(({ cpus, gpus }) => [cpus, gpus])).toEqual([
      [2, 0],
      [1, 0],
      [4, 2],
    ]);
    expect(launch).toMatchObject({ overlaps: false, waits: true, fixedNodes: true });
  });

  it.each([
    ['the launch node', 'rank: 0: { host: 0; cpu: {0} }'],
    ['a host that is not there', 'rank: 0: { host: 4; cpu: {0} }'],
    ['a CPU that is not there', 'rank: 0: { host: 1; cpu: {4} }'],
    ['ranks that do not count', 'rank: 1: { host: 1; cpu: {0} }'],
    ['a program that is not there', 'app 0: a\nrank: 0: { host: 1; cpu: {0} } : app 1'],
  ])('are refused with %s', (_, text) => {
    expect(called(`jsrun -U erf ${text.startsWith('app') ? '' : 'a'}`, erf(text))).not.toHaveProperty('ranks');
  });

  it('that give two ranks a CPU are warned of', () => {
    const { warnings, ranks } = launched(
      'jsrun -U erf a',
      erf('rank: 0-1: { host: 1; cpu: {0},{0}; gpu: {0-1},{0-1} }'),
    );
    expect(warnings).toEqual(['Warning: resource sets overlap on host 1']);
    expect(ranks.map(({ cpus, gpus }) => [cpus, gpus])).toEqual([
      [1, 2],
      [0, 0],
    ]);
  });
});

describe('what ranks have', () => {
  test('standard input: the first one alone', () => {
    for (const line of ['mpirun -np 2 a', 'mpiexec -n 2 a', 'aprun -n 2 a', 'jsrun -n 2 a', 'mpiexec -n 2 --ppn 2 a']) {
      expect(
        launched(line).ranks.map(({ readsStdin }) => readsStdin),
        line,
      ).toEqual([true, false]);
    }
  });

  test.each([
    ['mpirun -np 2 --host node1,node2 a', ['OMPI_COMM_WORLD_RANK', 'PMIX_RANK']],
    ['orterun -np 2 --host node1,node2 a', ['OMPI_COMM_WORLD_RANK']],
    ['mpiexec -n 2 -hosts node1,node2 a', ['PMI_RANK']],
    ['mpiexec -n 2 --ppn 1 a', ['PALS_RANKID', 'PMI_RANK']],
    ['aprun -n 2 -N 1 a', ['ALPS_APP_PE']],
    ['jsrun -n 2 -r 1 a', ['OMPI_COMM_WORLD_RANK', 'PMIX_RANK', 'JSM_NAMESPACE_RANK']],
  ] as const)('its number by the variables of %s', (line, names) => {
    for (const { rank, env } of launched(line).ranks) {
      for (const name of names) expect(env[name]).toBe(String(rank));
    }
  });

  test('of the environment what each launcher hands on to other nodes', () => {
    const inherits = (line: string) => launched(line).ranks.map(({ inheritsEnv = true }) => inheritsEnv);
    expect(inherits('mpirun -np 2 --host node1,node2 a')).toEqual([true, false]);
    expect(launched('mpirun -np 2 --host node1,node2 -x A -x B=2 a').ranks[1]?.env).toMatchObject({ A: '1', B: '2' });
    expect(inherits('mpiexec -n 2 -hosts node1,node2 a')).toEqual([true, true]);
    expect(inherits('mpiexec -n 2 -hosts node1,node2 -genvlist A a')).toEqual([true, false]);
    expect(launched('mpiexec -n 2 -hosts node1,node2 -genv C 3 a').ranks[1]?.env).toMatchObject({ C: '3' });
    expect(inherits('jsrun -n 2 -r 1 a')).toEqual([true, true]);
    const file = { env: { PBS_NODEFILE: 'nodes' }, readFile: () => 'node1\nnode2\n' };
    expect(launched('pbsdsh a', file).ranks.map(({ node, inheritsEnv }) => [node, inheritsEnv])).toEqual([
      ['node1', false],
      ['node2', false],
    ]);
    expect(launched('pbsdsh a', file).exitCode).toBe('always 0');
  });

  test('an end with the others where the launcher makes one', () => {
    expect(launched('mpirun -np 1 a').endsOthers).toBe('on failure');
    expect(launched('mpiexec -n 1 a').endsOthers).toBe('on signal');
    expect(launched('mpiexec -n 1 --ppn 1 a').endsOthers).toBe('on failure');
    expect(launched('mpiexec -n 1 --ppn 1 --no-abort-on-failure a').endsOthers).toBe('never');
    expect(launched('aprun -n 1 a').endsOthers).toBe('on failure');
    expect(launched('jsrun -n 1 a').endsOthers).toBe('never');
    expect(launched('jsrun -n 1 -X 1 a').endsOthers).toBe('on failure');
  });

  test('CPUs that they hold, and whole nodes of aprun', () => {
    expect(launched('jsrun -n 1 -a 2 -c 4 -g 2 a').ranks.map(({ cpus, gpus }) => [cpus, gpus])).toEqual([
      [2, 1],
      [2, 1],
    ]);
    expect(launched('aprun -n 1 -d 2 a').holds).toEqual({ cpus: 4, gpus: 2, memoryMiB: 4000 });
    expect(launched('mpirun -np 1 a').overlaps).toBe(true);
  });
});
