import { expect, test } from 'vitest';
import { RunCost } from '../../../../src/runtime/orchestrator/inference/run-cost.js';

function proven(micros = 20, bytes = 64): RunCost {
  const cost = new RunCost();
  for (let run = 0; run < 3; run += 1) cost.measured(micros, bytes);
  return cost;
}

test('a model must prove that it is cheap', () => {
  const cost = new RunCost();
  expect(cost.isCheap(64)).toBe(false);
  cost.measured(20, 64);
  cost.measured(20, 64);
  expect(cost.isCheap(64)).toBe(false);
  cost.measured(20, 64);
  expect(cost.isCheap(64)).toBe(true);
});

test('a first run that takes long does not count for ever', () => {
  const cost = new RunCost();
  cost.measured(40_000, 64);
  for (let run = 0; run < 3; run += 1) cost.measured(20, 64);
  expect(cost.isCheap(64)).toBe(true);
});

test('larger inputs are judged by their own runs', () => {
  const cost = proven();
  expect(cost.isCheap(100_000)).toBe(false);
  cost.measured(9000, 100_000);
  expect([cost.isCheap(64), cost.isCheap(100_000)]).toEqual([true, false]);
  cost.measured(100, 100_000);
  expect(cost.isCheap(100_000)).toBe(true);
});

test('a model that turns dear leaves the main thread, and comes back after many cheap runs, later each time', () => {
  const cost = proven();
  cost.measuredHere(15_000, 64);
  expect(cost.isCheap(64)).toBe(false);
  for (const runs of [32, 64, 128]) {
    for (let run = 1; run < runs; run += 1) cost.measured(20, 64);
    expect(cost.isCheap(64)).toBe(false);
    cost.measured(20, 64);
    expect(cost.isCheap(64)).toBe(true);
    cost.measuredHere(15_000, 64);
  }
});

test('after one run of more than 20 ms on the main thread there is no way back', () => {
  const cost = proven();
  cost.measuredHere(30_000, 64);
  for (let run = 0; run < 10_000; run += 1) cost.measured(20, 64);
  expect(cost.isCheap(64)).toBe(false);
});

test('a model that fills batches must leave time for a full one', () => {
  const cost = proven(200);
  expect([cost.isCheap(64, 1 / 4), cost.isCheap(64, 1 / 32)]).toEqual([true, false]);
});
