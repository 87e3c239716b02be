import { expect, test } from 'vitest';
import { fillWords } from '../../../src/runtime/launch/words.js';

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
