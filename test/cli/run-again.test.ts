import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { entityReports } from '../../src/cli/jobs/entities.js';
import type { JobStanding } from '../../src/cli/jobs/standing.js';
import { storeReports } from '../../src/cli/jobs/stores.js';
import { summarizeRun } from '../../src/cli/live-view.js';
import { memberDigest } from '../../src/ir/index.js';
import { MemberSelection } from '../../src/runtime/job/member-selection.js';
import { StatusReader } from '../../src/runtime/status/index.js';
import { makePlan } from '../runtime/support/make-plan.js';

/** A folder whose job 6 ended yesterday: of `sweep` one member completed and one failed, `report` was skipped. */
function yesterdays() {
  const dir = mkdtempSync(join(tmpdir(), 'simwright-again-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const plan = makePlan([{ name: 'sweep', params: { A: [0, 1] } }, { name: 'report' }], [{ name: 'store' }]);
  const [sweep] = plan.entities;
  if (sweep === undefined) throw new Error('the plan has an ensemble');
  const common = { job: sweep.job, jobId: '6' };
  const launch = { ...common, host: 'here', pid: 1, startTicks: '1' };
  const member = (index: number, state: string, exit: number) => ({
    ...{ ...common, entity: 'sweep', index, state, exit, member: `sweep_${index}` },
    ...{ digest: memberDigest(plan, sweep, index), time: '2026-01-01T01:00:01.000Z' },
  });
  const events = [
    { ...launch, entity: 'sweep', time: '2026-01-01T01:00:00.000Z', launch: 'launching' },
    member(0, 'completed', 0),
    member(1, 'failed', 3),
    {
      ...launch,
      entity: 'report',
      time: '2026-01-01T01:00:02.000Z',
      launch: 'skipped',
      reason: 'report is not launched: sweep_1 failed',
    },
  ];
  mkdirSync(join(dir, 'run/status'), { recursive: true });
  writeFileSync(
    join(dir, `run/status/${sweep.job}.jsonl`),
    events.map((event) => `${JSON.stringify(event)}\n`).join(''),
  );
  const stats = join(dir, 'run/stores/store/n1.7.stats.json');
  mkdirSync(join(dir, 'run/stores/store'), { recursive: true });
  writeFileSync(stats, JSON.stringify({ usedBytes: 1, keys: 1, clients: 1, requests: 1, inferences: 0 }));
  utimesSync(stats, 1, 1);
  return { dir, plan, job: sweep.job };
}

test('status of a job that runs again what failed does not show the failures of the job before', () => {
  const { dir, plan, job } = yesterdays();
  const reader = new StatusReader(dir);
  reader.refresh();
  const reports = (id: string, state: JobStanding['state']) =>
    entityReports({ dir, plan }, reader, [{ name: job, id, state, from: 'scheduler' }]);
  expect(reports('6', 'FAILED')).toMatchObject([
    { completed: 1, failed: 1, pending: 0, causes: [{ members: ['sweep_1'] }] },
    { pending: 1, skipped: 'report is not launched: sweep_1 failed' },
  ]);
  for (const state of ['PENDING', 'RUNNING'] as const) {
    expect(reports('7', state)).toMatchObject([
      { completed: 1, failed: 0, pending: 1, causes: [] },
      { pending: 1, skipped: undefined },
    ]);
  }
});

test('the live picture of a run begins without the states of the run before', () => {
  const { dir: folder, plan } = yesterdays();
  const startedMs = Date.now();
  const run = {
    plan,
    folder,
    chosen: MemberSelection.all,
    startedMs,
    runsAgain: ({ index }: { index: number }) => index === 1,
  };
  expect(summarizeRun(run)).toMatchObject([{ completed: 1, failed: 0 }, { skipped: undefined }]);
  expect(storeReports(plan, folder, startedMs)[0]?.stats).toBeUndefined();
  expect(storeReports(plan, folder)[0]?.stats?.keys).toBe(1);
});
