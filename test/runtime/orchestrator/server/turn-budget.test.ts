import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, expect, test, vi } from 'vitest';
import { TurnBudget } from '../../../../src/runtime/orchestrator/server/turn-budget.js';

const kib = 1024;

/** A budget in a turn that has just begun, and what asks it. */
async function begun() {
  const budget = new TurnBudget();
  const calls: string[] = [];
  const reader = (name: string) => {
    const account = { turn: 0, bytes: 0 };
    return (bytes: number) => budget.spend(account, bytes, () => calls.push(name));
  };
  // The first read of all comes after a long time without any.
  reader('first')(kib);
  await nextTurn();
  calls.length = 0;
  return { reader, calls };
}

// A clock of its own: on a busy machine milliseconds may pass between any two lines.
let nowMs = 0;
beforeEach(() => {
  nowMs = 1000;
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  return () => spy.mockRestore();
});

test('a turn has a MiB for all, and those who wait go on in the next', async () => {
  const { reader, calls } = await begun();
  const [one, other] = [reader('one'), reader('other')];
  expect([one(512 * kib), other(256 * kib), other(256 * kib)]).toEqual([true, true, false]);
  expect(one(64 * kib)).toBe(false);
  expect(calls).toEqual([]);
  await nextTurn();
  expect(calls).toEqual(['other', 'one']);
  expect(one(512 * kib)).toBe(true);
});

test('who has read little goes on all the same', async () => {
  const { reader } = await begun();
  expect([reader('one')(1024 * kib), reader('other')(64 * kib)]).toEqual([false, true]);
});

test('reads that take long count for more: five milliseconds are a whole turn', async () => {
  const { reader, calls } = await begun();
  const [one, other] = [reader('one'), reader('other')];
  expect(one(64 * kib)).toBe(true);
  nowMs += 6;
  expect(other(64 * kib)).toBe(false);
  await nextTurn();
  expect(calls).toEqual(['other']);
});
