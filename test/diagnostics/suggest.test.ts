import { expect, test } from 'vitest';
import { nearest, suggestion } from '../../src/diagnostics/index.js';

test('the nearest is what was mistyped', () => {
  expect(nearest('wallTime', ['walltime', 'nodes'])).toBe('walltime');
  expect(nearest('simulatoin', ['analysis', 'simulation'])).toBe('simulation');
  expect(nearest('zebra', ['walltime', 'nodes'])).toBeUndefined();
});

test('a beginning stands for what it begins, however long that is, the shortest first', () => {
  expect(nearest('gpus', ['constraint', 'gpusPerNode', 'memory', 'queue'])).toBe('gpusPerNode');
  expect(nearest('tasks', ['tasksPerNodeAndMore', 'tasksPerNode'])).toBe('tasksPerNode');
  expect(nearest('mem', ['memory', 'queue'])).toBe('memory');
});

test('a word that differs little comes before one that it begins', () => {
  expect(nearest('node', ['nodesPerComponent', 'nodes'])).toBe('nodes');
});

test('a letter or two begin too much', () => {
  expect(nearest('gp', ['gpusPerNode'])).toBeUndefined();
});

test('without anything near, what there is', () => {
  expect(suggestion('zebra', ['walltime', 'nodes'])).toBe('there are: walltime, nodes');
  expect(suggestion('zebra', [])).toBe('there are none');
});
