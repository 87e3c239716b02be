import { execFileSync, spawnSync } from 'node:child_process';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { BusyPoll } from '../../../src/runtime/orchestrator/busy-poll.js';

// A clock of its own: on a busy machine milliseconds may pass between any two lines.
let nowMs = 0;
beforeEach(() => {
  nowMs = 1000;
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  return () => spy.mockRestore();
});

async function afterMs(poll: BusyPoll, milliseconds: number): Promise<boolean> {
  nowMs += milliseconds;
  await nextTurn();
  return poll.polling;
}

/** One that has looked in vain until it had no credit left. */
async function tired(): Promise<BusyPoll> {
  const poll = new BusyPoll(200);
  for (let round = 0; round < 100; round++) {
    poll.event();
    await afterMs(poll, 0);
    await afterMs(poll, 10);
  }
  return poll;
}

describe('after an event the loop', () => {
  test('is kept awake for the time that is given, and then sleeps', async () => {
    const poll = new BusyPoll(200);
    expect(poll.polling).toBe(false);
    poll.event();
    expect([await afterMs(poll, 0), await afterMs(poll, 0.1), await afterMs(poll, 0.09)]).toEqual([true, true, true]);
    expect([await afterMs(poll, 0.02), await afterMs(poll, 0)]).toEqual([false, false]);
  });

  test('is kept awake anew by the next', async () => {
    const poll = new BusyPoll(200);
    poll.event();
    for (let event = 0; event < 10; event++) {
      expect(await afterMs(poll, 0.15)).toBe(true);
      poll.event();
    }
    await nextTurn();
    expect(await afterMs(poll, 0.25)).toBe(false);
  });

  test('is not, once that was often in vain', async () => {
    const poll = await tired();
    poll.event();
    expect(poll.polling).toBe(false);
  });

  test('is again, once events follow each other closely', async () => {
    const poll = await tired();
    poll.event();
    nowMs += 0.1;
    poll.event();
    expect(poll.polling).toBe(true);
    for (let event = 0; event < 3; event++) {
      expect(await afterMs(poll, 0.1)).toBe(true);
      poll.event();
    }
    // Four were there in time, and pay for four times in vain.
    await afterMs(poll, 0);
    for (let round = 0; round < 4; round++) {
      expect(await afterMs(poll, 10)).toBe(false);
      poll.event();
      expect(poll.polling).toBe(round < 3);
    }
  });

  test('is kept awake by an answer, which counts for nothing by itself', async () => {
    const poll = new BusyPoll(200);
    for (let round = 0; round < 100; round++) {
      poll.event();
      poll.answered();
      await afterMs(poll, 0.15);
      poll.answered();
      await afterMs(poll, 0.15);
      expect(poll.polling).toBe(round < 16);
      await afterMs(poll, 10);
    }
  });

  test('sleeps while others work on a request, and is kept awake once all are answered', async () => {
    const poll = new BusyPoll(200);
    poll.asked();
    expect(poll.polling).toBe(false);
    poll.asked();
    poll.settled();
    expect(poll.polling).toBe(false);
    poll.settled();
    expect([poll.polling, await afterMs(poll, 0.1)]).toEqual([true, true]);
    poll.asked();
    expect([poll.polling, await afterMs(poll, 0)]).toEqual([false, false]);
  });

  test('is not kept awake for a client that often lets it wait after an answer', async () => {
    const poll = new BusyPoll(200);
    for (let round = 0; round < 100; round++) {
      poll.asked();
      poll.settled();
      expect(poll.polling).toBe(round < 16);
      await afterMs(poll, 10);
    }
    // It pays again for one that asks at once.
    poll.asked();
    poll.settled();
    nowMs += 0.1;
    poll.asked();
    poll.settled();
    expect(poll.polling).toBe(true);
  });

  test('never is with a time of 0', async () => {
    const poll = new BusyPoll(0);
    poll.event();
    poll.event();
    expect(poll.polling).toBe(false);
  });
});

const hasTaskset = spawnSync('taskset', ['--version']).status === 0;

test.skipIf(!hasTaskset)('on a single CPU nothing is waited for awake, unless asked (needs taskset)', () => {
  const module = new URL('../../../dist/runtime/orchestrator/busy-poll.js', import.meta.url).href;
  const program = `import { busyPollMicros } from '${module}';
    console.log(busyPollMicros(undefined), busyPollMicros(50), busyPollMicros(0));`;
  const printed = execFileSync('taskset', ['-c', '0', process.execPath, '--input-type=module', '-e', program]);
  expect(printed.toString().trim()).toBe('0 50 0');
});
