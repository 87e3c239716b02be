import { describe, expect, test } from 'vitest';
import { type Event, memberDigest } from '../../../src/ir/index.js';
import {
  judgeEvent,
  type MemberState,
  parseStatusLine,
  StatusTable,
  summarize,
} from '../../../src/runtime/status/index.js';
import { makePlan } from '../support/make-plan.js';

const plan = makePlan([{ name: 'sweep', params: { I: [0, 1] } }]);
const [sweep] = plan.entities;
if (sweep === undefined) throw new Error('no entity');

const time = (n: number) => new Date(n * 1000).toISOString();

function table(states: readonly (MemberState | undefined)[], launch?: 'ended' | 'skipped' | 'launching') {
  const status = new StatusTable();
  const common = { time: time(1), job: 'main', jobId: '7', entity: 'sweep' };
  states.forEach((state, index) => {
    if (state === undefined) return;
    const digest = sweep === undefined ? '' : memberDigest(plan, sweep, index);
    status.add({
      ...common,
      digest,
      index,
      member: `sweep_${index}`,
      state,
      ...(state === 'failed' ? { exit: 3 } : {}),
    });
  });
  if (launch !== undefined) {
    status.add({
      ...common,
      launch,
      host: 'h',
      pid: 1,
      startTicks: '1',
      ...(launch === 'skipped' ? { reason: 'r' } : {}),
    });
  }
  return status.of('sweep');
}

function judge(event: Event, ...status: Parameters<typeof table>) {
  return judgeEvent(table(...status), {
    entity: sweep ?? { kind: 'model', name: '', members: { strategy: 'all-perm', axes: [], replicas: 1, count: 1 } },
    event,
    member: undefined,
    launches: 1,
    counts: () => () => true,
    isGone: () => false,
  });
}

describe('judgeEvent', () => {
  test.each<[Event, (MemberState | undefined)[], unknown]>([
    ['started', [undefined, undefined], 'pending'],
    ['started', ['staged', undefined], 'pending'],
    ['started', ['running', undefined], 'met'],
    ['completed', ['completed', 'running'], 'pending'],
    ['completed', ['completed', 'completed'], 'met'],
    ['completed', ['failed', 'running'], { impossible: 'sweep_0 failed with exit code 3' }],
    ['completed', ['interrupted', undefined], { impossible: 'sweep_0 was interrupted' }],
    ['failed', ['failed', 'running'], 'pending'],
    ['failed', ['failed', 'completed'], 'met'],
    ['failed', ['completed', 'completed'], { impossible: 'sweep completed' }],
    ['ended', ['failed', 'running'], 'pending'],
    ['ended', ['failed', 'interrupted'], 'met'],
  ])('%s with members %j', (event, states, verdict) => {
    expect(judge(event, states)).toEqual(verdict);
  });

  test('an entity that was skipped has ended and has not completed', () => {
    expect(judge('completed', [], 'skipped')).toEqual({ impossible: 'sweep was skipped: r' });
    expect(judge('ended', [], 'skipped')).toBe('met');
    expect(judge('completed', ['completed'], 'ended')).toEqual({
      impossible: 'the launch of sweep has ended before its members',
    });
  });
});

describe('status lines', () => {
  test('the later event of a member wins, in whatever order they are read', () => {
    const status = new StatusTable();
    const common = { job: 'main', jobId: '7', entity: 'sweep', digest: 'd', index: 0, member: 'sweep_0' };
    status.add({ ...common, time: time(2), state: 'completed' });
    status.add({ ...common, time: time(1), state: 'running' });
    expect(status.of('sweep').members.get(0)?.state).toBe('completed');
  });

  test('what is no event is passed over', () => {
    expect(parseStatusLine('{"time":')).toBeUndefined();
    expect(parseStatusLine('{"state":"completed"}')).toBeUndefined();
    expect(parseStatusLine('null')).toBeUndefined();
  });

  test('a summary counts members by state', () => {
    expect(summarize(plan, sweep, table(['completed', 'staged']))).toEqual({
      name: 'sweep',
      total: 2,
      pending: 0,
      running: 1,
      completed: 1,
      failed: 0,
      interrupted: 0,
      skipped: undefined,
    });
    expect(summarize(plan, { ...sweep, env: { A: '1' } }, table(['completed', 'failed'])).pending).toBe(2);
  });
});
