import { describe, expect, test } from 'vitest';
import { launchers } from '../../src/targets/launchers/index.js';
import { isNotSupported } from '../../src/targets/target.js';
import { ranksOf } from '../helpers/erf.js';
import { lineOf, program, refusalOf } from './support.js';

const sized = { nodes: 2, tasks: 8, tasksPerNode: 4, cpusPerTask: 1 };

describe('srun names its hosts', () => {
  test('that the runtime chooses, in two words', () => {
    expect(lineOf('srun', program(['./a'], { ...sized, namesHosts: true }))).toMatch(/ --exact -w \{hosts\} \.\/a$/);
  });
  test('of each program, one after the other', () => {
    const line = lineOf(
      'srun',
      program(['./a'], { namesHosts: true }),
      program(['./b'], { ...sized, namesHosts: true }),
    );
    expect(line).toMatch(/ -w \{hosts\[1-1\]\} \.\/a : .* -w \{hosts\[2-3\]\} \.\/b$/);
  });
  test('of a store: the first of its group', () => {
    expect(lineOf('srun', program([], { ...sized, overlap: true, namesHosts: true }))).toMatch(/ -w \{hosts\[1-2\]\}$/);
  });
  test('as the user does, and no more than nodes', () => {
    const line = lineOf('srun', program(['./a'], { ...sized, hosts: ['n1', 'n2', 'n3'], namesHosts: false }));
    expect(line).toContain(' --nodelist=n1,n2 ./a');
    const own = { ...sized, namesHosts: true, launcherArgs: { w: 'n5,n6' } };
    expect(lineOf('srun', program(['./a'], own))).toMatch(/ -w n5,n6 \.\/a$/);
  });
});

describe('jsrun', () => {
  const linesOf = (step: Parameters<typeof program>[1], words = ['./a', '{hosts}']) => {
    const line = launchers.jsrun.line([program(words, { ...sized, namesHosts: true, ...step })]);
    if (isNotSupported(line)) throw new Error(line.notSupported);
    return line;
  };

  test('is told hosts and CPUs by a file that the runtime fills in', () => {
    const { words, files, resources } = linesOf({ gpusPerTask: 1 });
    expect(words).toEqual(['jsrun', '--erf_input=simwright.erf', './a', '{hosts}']);
    expect(resources).toEqual({ file: 'simwright.erf', threadsPerCore: 1, bound: false });
    const text = files?.['simwright.erf'] ?? '';
    expect(ranksOf(text).map(({ host }) => host)).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
    const cores = [
      [4, 5, 6, 9],
      [1, 3, 5, 7],
    ];
    const placed = launchers.jsrun.resources?.place(text, { hosts: ['h3', 'h7'], cores, gpus: [2, 3, 4, 5] }, 1) ?? '';
    expect(ranksOf(placed).map(({ host, cpus, gpus }) => [host, ...cpus, ...gpus])).toEqual([
      ['h3', 4, 2],
      ['h3', 5, 3],
      ['h3', 6, 4],
      ['h3', 9, 5],
      ['h7', 1, 2],
      ['h7', 3, 3],
      ['h7', 5, 4],
      ['h7', 7, 5],
    ]);
  });
  test('counts all hardware threads of the cores', () => {
    const { files } = linesOf({ tasks: 2, tasksPerNode: 2, nodes: 1, cpusPerTask: 2, threadsPerCore: 4 });
    const text = files?.['simwright.erf'] ?? '';
    expect(launchers.jsrun.resources?.cores(text, 4)).toEqual({ numbers: [0, 1, 2, 3], most: 4 });
    const placed = launchers.jsrun.resources?.place(text, { hosts: ['h1'], cores: [[2, 5, 6, 7]] }, 4);
    expect(placed).toContain('{ hostname: h1; cpu: {8-11,20-23},{24-31} }');
  });
  test('keeps the CPUs that a user binds to', () => {
    const { files, resources } = linesOf({ tasks: 2, tasksPerNode: 2, nodes: 1, cpuBind: [8, 12] });
    expect(resources?.bound).toBe(true);
    expect(launchers.jsrun.resources?.cores(files?.['simwright.erf'] ?? '', 1).numbers).toEqual([8, 12]);
  });
  test('is told those of a store, after those of the stores before it', () => {
    const { words, files } = linesOf(
      { tasks: 2, tasksPerNode: 1, overlap: true, endsTogether: true, cpusOfStores: 3 },
      [],
    );
    expect(words).toEqual(['jsrun', '--erf_input={resources}', '--exit_on_error=1']);
    expect(ranksOf(files?.['{resources}'] ?? '').map(({ host, cpus }) => [host, ...cpus])).toEqual([
      [1, 3],
      [2, 3],
    ]);
  });
  test('has nothing to fill in beside a file of the user', () => {
    const { words, resources } = linesOf({ launcherArgs: { erf_input: '/x/my.erf' } }, ['./a']);
    expect([words, resources]).toEqual([['jsrun', '--erf_input=/x/my.erf', './a'], undefined]);
  });
});

test('aprun, which chooses nodes, refuses words for hosts', () => {
  expect(refusalOf('aprun', program(['./a', '{first_host}'], { namesHosts: true }))).toContain(
    "aprun chooses nodes by itself, so '{first_host}' cannot be filled in",
  );
  expect(lineOf('aprun', program(['./a', '{{hosts}}', 'x{hosts}']))).toContain('x{hosts}');
});
