import { expect, test } from 'vitest';
import { stateFromStatus } from '../../src/cli/jobs/state-from-status.js';
import type { Job, Plan } from '../../src/ir/index.js';
import { type StatusEvent, type StatusReader, StatusTable } from '../../src/runtime/status/index.js';

test('a job that has gone took from its first event to its last, and no other job counts', () => {
  const table = new StatusTable();
  const common = { job: 'j', entity: 'm' };
  const launch = { ...common, host: 'here', pid: 1, startTicks: '1' };
  const member = { ...common, index: 0, digest: 'd', member: 'm' };
  const events: readonly StatusEvent[] = [
    { ...launch, jobId: '6', time: '2026-11-28T01:00:00.000Z', launch: 'launching' },
    { ...launch, jobId: '7', time: '2026-11-29T01:00:00.000Z', launch: 'launching' },
    { ...member, jobId: '7', time: '2026-11-29T01:00:01.000Z', state: 'running' },
    { ...member, jobId: '7', time: '2026-11-29T01:03:29.800Z', state: 'completed', exit: 0 },
    { ...launch, jobId: '7', time: '2026-11-29T01:03:30.000Z', launch: 'ended', exit: 0 },
  ];
  for (const event of events) table.add(event);
  const plan = { entities: [{ name: 'm', job: 'j' }] } as unknown as Plan;
  const reader = { of: (name: string) => table.of(name) } as StatusReader;
  expect(stateFromStatus(plan, { name: 'j' } as Job, '7', reader)).toEqual({
    state: 'COMPLETED',
    native: 'ended',
    exit: 0,
    elapsedSeconds: 210,
  });
});
