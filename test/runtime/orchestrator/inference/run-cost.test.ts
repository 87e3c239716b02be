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

function prove(cost: RunCost, runs: number): void {
  for (let run = 0; run < runs; run += 1) cost.measured(20, 64);
}

test('a model that turns dear leaves the main thread, and comes back after many cheap runs, later each time', () => {
  const cost = proven();
  for (let run = 0; run < 2; run += 1) cost.measuredHere(15_000, 64);
  expect(cost.isCheap(64)).toBe(false);
  for (const runs of [32, 64, 128]) {
    prove(cost, runs - 1);
    expect(cost.isCheap(64)).toBe(false);
    prove(cost, 1);
    expect(cost.isCheap(64)).toBe(true);
    for (let run = 0; run < 2; run += 1) cost.measuredHere(15_000, 64);
  }
});

test('a run here and there that something else kept waiting does not send a cheap model away', () => {
  const cost = proven();
  for (let run = 0; run < 100; run += 1) {
    cost.measuredHere(run % 5 === 3 ? 15_000 : 20, 64);
    expect(cost.isCheap(64)).toBe(true);
  }
});

test('nor does it keep one from coming back', () => {
  const cost = proven();
  cost.measuredHere(30_000, 64);
  for (let run = 0; run < 40; run += 1) cost.measured(run % 5 === 3 ? 15_000 : 20, 64);
  expect(cost.isCheap(64)).toBe(true);
});

test('one run of more than 20 ms on the main thread sends a model away at once', () => {
  const cost = proven();
  for (let run = 0; run < 10; run += 1) cost.measuredHere(20, 64);
  cost.measuredHere(30_000, 64);
  expect([cost.isCheap(64), cost.isWelcome]).toEqual([false, false]);
});

test('it takes 4096 cheap runs to come back at the most', () => {
  const cost = proven();
  for (let time = 0; time < 20; time += 1) {
    cost.measuredHere(30_000, 64);
    prove(cost, 4096);
    expect(cost.isCheap(64)).toBe(true);
  }
});

test('a model that fills batches must leave time for a full one', () => {
  const cost = proven(200);
  expect([cost.isCheap(64, 1 / 4), cost.isCheap(64, 1 / 32)]).toEqual([true, false]);
});
