import { expect, test } from 'vitest';
import { memberDigest, type Plan } from '../../../src/ir/index.js';
import { StatusTable } from '../../../src/runtime/status/index.js';
import { membersCsvPieces } from '../../../src/runtime/status/members-csv.js';
import { makePlan } from '../support/make-plan.js';

/** Digest of a member of the plan's first entity. */
function digestIn(plan: Plan, index: number): string {
  const [entity] = plan.entities;
  return entity === undefined ? '' : memberDigest(plan, entity, index);
}

test('quotes what needs it and keeps parameters apart from its own columns', () => {
  const plan = makePlan([
    { name: 'a', params: { title: ['x, "y"', 'z'], host: ['h'] } },
    { name: 'b', params: { N: [1, 2] } },
    { name: 'model' },
  ]);
  const status = new StatusTable();
  status.add({
    time: '2026-01-01T00:00:00.000Z',
    job: 'main',
    jobId: '1',
    entity: 'a',
    digest: digestIn(plan, 0),
    index: 0,
    member: 'a_0',
    state: 'failed',
    exit: 137,
    signal: 'SIGKILL',
    seconds: 1.5,
    host: 'n1',
  });
  expect([...membersCsvPieces(plan, (entity) => status.of(entity))].join('')).toBe(
    [
      'ensemble,index,name,title,param.host,N,state,exit,seconds,host',
      'a,0,a_0,"x, ""y""",h,,failed,137,1.5,n1',
      'a,1,a_1,z,h,,pending,,,',
      'b,0,b_0,,,1,pending,,,',
      'b,1,b_1,,,2,pending,,,',
      '',
    ].join('\n'),
  );
});

test('takes hosts from the launch that heard of them, of the job that ran the member last', () => {
  const plan = makePlan([{ name: 'a', params: { N: [1, 2, 3] } }]);
  const status = new StatusTable();
  const common = { job: 'main', entity: 'a' };
  const member = (jobId: string, index: number) => ({
    ...common,
    digest: digestIn(plan, index),
    jobId,
    index,
    member: `a_${index}`,
    exit: 0,
  });
  const launch = (jobId: string, hosts: Record<string, number[]>) =>
    ({ ...common, jobId, launch: 'ended', host: 'n0', pid: 7, startTicks: '1', exit: 0, hosts }) as const;
  status.add({ ...member('1', 0), time: '2026-01-01T00:00:00.000Z', state: 'completed' });
  status.add({ ...member('1', 1), time: '2026-01-01T00:00:00.000Z', state: 'interrupted' });
  status.add({ ...launch('1', { n1: [0], n2: [1, 2] }), time: '2026-01-01T00:00:01.000Z' });
  status.add({ ...member('2', 1), time: '2026-01-01T00:00:02.000Z', state: 'completed' });
  status.add({ ...launch('2', { n3: [1] }), time: '2026-01-01T00:00:03.000Z' });
  const rows = [...membersCsvPieces(plan, (entity) => status.of(entity))].join('').split('\n');
  expect(rows.slice(1, 4)).toEqual(['a,0,a_0,1,completed,0,,n1', 'a,1,a_1,2,completed,0,,n3', 'a,2,a_2,3,pending,,,']);
});
