import { describe, expect, test } from 'vitest';
import { launchers } from '../../src/targets/launchers/index.js';
import { isNotSupported } from '../../src/targets/target.js';
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
  const group = { first: 1, nodes: 2 };

  test('is told all nodes of a group by their numbers', () => {
    const line = launchers.jsrun.line([program(['./a'], { ...sized, namesHosts: true, group })]);
    if (isNotSupported(line)) throw new Error(line.notSupported);
    expect(line.files?.['simwright.erf']).toContain(
      'rank: 0-3: { host: 2; cpu: {0},{1},{2},{3} }\nrank: 4-7: { host: 3;',
    );
  });
  test('refuses a part of a group, and a store in one', () => {
    expect(refusalOf('jsrun', program(['./a'], { group, namesHosts: true }))).toMatch(
      /a launch of 1 node cannot be told which of 2 nodes are its own; take all nodes of the group/,
    );
    expect(refusalOf('jsrun', program([], { ...sized, group, overlap: true }))).toContain(
      'a store on nodes of its own choice',
    );
  });
});

test.each(['aprun', 'jsrun'] as const)('%s, which chooses nodes, refuses words for hosts', (launcher) => {
  expect(refusalOf(launcher, program(['./a', '{first_host}'], { namesHosts: true }))).toContain(
    `${launcher} chooses nodes by itself, so '{first_host}' cannot be filled in`,
  );
  expect(lineOf(launcher, program(['./a', '{{hosts}}', 'x{hosts}']))).toContain('x{hosts}');
});
