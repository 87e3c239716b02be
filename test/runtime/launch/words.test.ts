import { expect, test } from 'vitest';
import { fillWords, namesItsHosts, withVariables } from '../../../src/runtime/launch/words.js';

const values = { args: ['--a=1', '-b', 'x y'], dir: '/d', name: 'sweep_1', hosts: ['n1', 'n2'] };

test('placeholders are whole words, and {args} as many as there are', () => {
  expect(fillWords(['srun', '-w', '{hosts}', './lbm', '{args}', '{dir}', '{name}', 'x{name}'], values)).toEqual([
    'srun',
    '-w',
    'n1,n2',
    './lbm',
    '--a=1',
    '-b',
    'x y',
    '/d',
    'sweep_1',
    'x{name}',
  ]);
  expect(fillWords(['a', '{args}', 'b'], { ...values, args: [] })).toEqual(['a', 'b']);
});

test('hosts with the number of tasks that each is to take', () => {
  expect(fillWords(['--host', '{hosts:4}', 'x{hosts:4}', '{{hosts:4}}'], values)).toEqual([
    '--host',
    'n1:4,n2:4',
    'x{hosts:4}',
    '{hosts:4}',
  ]);
});

test('doubled braces stand for a placeholder that is meant literally', () => {
  expect(fillWords(['{{args}}', '{{name}}', '{{other}}'], values)).toEqual(['{args}', '{name}', '{{other}}']);
});

test('hosts by position, and the first of them', () => {
  expect(
    fillWords(['{hosts[2-2]}', '{hosts[1-2]:3}', '{first_host}', 'x{first_host}', '{{first_host}}'], values),
  ).toEqual(['n2', 'n1:3,n2:3', 'n1', 'x{first_host}', '{first_host}']);
  expect(
    ['{hosts}', '{hosts:2}', '{hosts[1-2]}', '{first_host}', '{{hosts}}'].map((word) => namesItsHosts([word])),
  ).toEqual([true, true, true, true, false]);
});

test('variables are handed on to each program', () => {
  const line = ['mpirun', '-np', '1', './a', ':', '-np', '2', './b'];
  const passOn = (name: string) => ['-x', name];
  expect(withVariables(line, ['A'], passOn)).toEqual([
    'mpirun',
    '-x',
    'A',
    '-np',
    '1',
    './a',
    ':',
    '-x',
    'A',
    '-np',
    '2',
    './b',
  ]);
  expect(withVariables(line, ['A'], undefined)).toBe(line);
  expect(withVariables(line, [], passOn)).toBe(line);
});
