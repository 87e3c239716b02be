import { expect, test } from 'vitest';
import { AttemptTable } from '../../../src/runtime/status/index.js';
import type { MemberEvent } from '../../../src/runtime/status/status-event.js';

const event = (index: number, attempt: number, second: number, state: MemberEvent['state']): MemberEvent => ({
  time: `2026-01-01T00:00:0${second}.000Z`,
  job: 'main',
  jobId: String(second),
  entity: 'e',
  index,
  member: `e_${index}`,
  params: {},
  digest: 'd',
  state,
  attempt,
});

/** A table of attempts that have failed: index, number of the attempt in its directory, second. */
function tableOf(...attempts: readonly (readonly [index: number, attempt: number, second: number])[]): AttemptTable {
  const table = new AttemptTable();
  for (const [index, attempt, second] of attempts) {
    table.add(event(index, attempt, second, 'staged'));
    table.add(event(index, attempt, second, 'failed'));
  }
  return table;
}

test('counts the attempts of a member in the directory that it has now', () => {
  expect(tableOf([0, 1, 1], [0, 2, 2], [1, 1, 3]).repeated('e')).toEqual([{ index: 0, attempts: 2 }]);
});

test('leaves out attempts in a directory that gave way', () => {
  expect(tableOf([0, 1, 1], [0, 1, 2]).repeated('e')).toEqual([]);
  expect(tableOf([0, 1, 1], [0, 1, 2], [0, 2, 3]).repeated('e')).toEqual([{ index: 0, attempts: 2 }]);
});
