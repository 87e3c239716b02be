import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { DevicePool } from '../../../../src/runtime/orchestrator/inference/device-pool.js';
import type { InferenceThread } from '../../../../src/runtime/orchestrator/inference/inference-thread.js';
import type { RunRequest } from '../../../../src/runtime/orchestrator/inference/run-queue.js';

/** A pool of one thread whose runs end when they are told to; `given` are the names of the requests that it has, oldest first. */
function pool() {
  const given: string[][] = [];
  const ends: (() => void)[] = [];
  const answered: string[] = [];
  const thread = { occupied: 0, dead: false, has: () => true, close: async () => {} } as unknown as InferenceThread;
  const made = new DevicePool(
    'CPU',
    1,
    () => thread,
    (_, requests) => {
      given.push(requests.map(({ bytes }) => `${bytes}`));
      return new Promise((resolve) => {
        ends.push(() => resolve(() => answered.push(`${requests[0]?.bytes} while ${given.flat().join()}`)));
      });
    },
  );
  /** Asks for a run; its name is the size of its inputs. */
  const ask = (name: number, { isQuick = true, batchSize = 0 } = {}, model = models(isQuick, batchSize)) =>
    made.run({
      model,
      inputs: [],
      bytes: name,
      shape: batchSize > 0 ? { size: 1, likeness: 'any' } : undefined,
      queuedAtMs: performance.now(),
      timeoutMs: undefined,
      resolve: () => {},
      reject: () => {},
    } as unknown as RunRequest);
  const endFirst = async () => {
    given.shift();
    ends.shift()?.();
    await nextTurn();
    await nextTurn();
  };
  return { ask, endFirst, given, answered };
}

const kept = new Map<string, RunRequest['model']>();
function models(isQuick: boolean, batchSize: number): RunRequest['model'] {
  const key = `${isQuick} ${batchSize}`;
  const batch = { batchSize, minBatchSize: 0, minBatchTimeoutMs: 0 };
  kept.set(key, kept.get(key) ?? { id: kept.size, batch, unwanted: false, isQuick });
  return kept.get(key) as RunRequest['model'];
}

test('a thread has its next quick run beside the one that it does, time and again', async () => {
  const { ask, endFirst, given } = pool();
  for (const name of [1, 2, 3, 4, 5]) ask(name);
  const seen = [given.flat().join()];
  for (let run = 0; run < 5; run++) {
    await endFirst();
    seen.push(given.flat().join());
  }
  expect(seen).toEqual(['1,2', '2,3', '3,4', '4,5', '5', '']);
});

test('behind a slow run others wait where another thread could take them', async () => {
  const { ask, endFirst, given } = pool();
  for (const name of [1, 2, 3]) ask(name, { isQuick: false });
  expect(given).toEqual([['1']]);
  await endFirst();
  expect(given).toEqual([['2']]);
});

test('a batch that has room yet is kept until the thread is free', async () => {
  const { ask, endFirst, given } = pool();
  const batched = { batchSize: 2 };
  ask(1, batched);
  await nextTurn();
  ask(2, batched);
  await nextTurn();
  expect(given).toEqual([['1']]);
  ask(3, batched);
  ask(4, batched);
  await nextTurn();
  expect(given).toEqual([['1'], ['2', '3']]);
  await endFirst();
  expect(given).toEqual([['2', '3']]);
  await endFirst();
  expect(given).toEqual([['4']]);
});

test('a thread is given its next run before those who waited for the last are answered', async () => {
  const { ask, endFirst, answered } = pool();
  ask(1, { isQuick: false });
  ask(2, { isQuick: false });
  await endFirst();
  expect(answered).toEqual(['1 while 2']);
});
