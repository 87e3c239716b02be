import { expect, test } from 'vitest';
import { membersCsv, StatusTable } from '../../../src/runtime/status/index.js';
import { makePlan } from '../support/make-plan.js';

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
    digest: plan.entities[0]?.digest ?? '',
    index: 0,
    member: 'a_0',
    state: 'failed',
    exit: 137,
    signal: 'SIGKILL',
    seconds: 1.5,
    host: 'n1',
  });
  expect(membersCsv(plan, (entity) => status.of(entity))).toBe(
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
