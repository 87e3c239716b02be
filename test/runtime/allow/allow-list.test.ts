import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { allowAddresses, leaveAllowList, pruneAllowList } from '../../../src/runtime/allow/allow-list.js';
import type { JobEnvironment } from '../../../src/runtime/job/job-environment.js';
import { makeJobs } from '../support/make-jobs.js';

test('an address stays on the list of a store with a job of its own as long as a job that needs it', async ({
  onTestFinished,
}) => {
  const dir = mkdtempSync(join(tmpdir(), 'simwright-test-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const plan = makeJobs(
    [{ name: 'db', stores: ['db'] }, { name: 'sim' }],
    [{ name: 'sim', job: 'sim', stores: ['db'] }],
    [{ name: 'db', scope: 'network' }],
  );
  const jobOf = (jobId: string, arrayIndex?: number) => ({ dir, jobId, arrayIndex }) as unknown as JobEnvironment;
  const list = join(dir, 'run/stores/db/allow');
  const names = () => readdirSync(list).sort();
  allowAddresses(jobOf('7'), plan, 'db', ['10.0.0.1', '10.0.0.2']);
  allowAddresses(jobOf('7'), plan, 'db', ['10.0.0.2']);
  allowAddresses(jobOf('8'), plan, 'db', ['10.0.0.2']);
  for (const index of [0, 1]) allowAddresses(jobOf('9', index), plan, 'db', ['10.0.0.3']);
  expect(names()).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3']);
  expect((statSync(list).mode & 0o777).toString(8)).toBe('700');
  leaveAllowList(jobOf('7'), 'db');
  leaveAllowList(jobOf('9', 0), 'db');
  expect(names()).toEqual(['10.0.0.2', '10.0.0.3']);
  // The store itself starts anew: the scheduler knows who has ended, and says nothing of others.
  const asked: string[] = [];
  await pruneAllowList(jobOf('20'), 'db', async (id) => {
    asked.push(id);
    return id === '9' ? false : undefined;
  });
  expect([asked.sort(), names()]).toEqual([['8', '9'], ['10.0.0.2']]);
  await pruneAllowList(jobOf('8'), 'db', async () => false);
  expect(names()).toEqual(['10.0.0.2']);
  await pruneAllowList(jobOf('21'), 'db', async () => false);
  expect(names()).toEqual([]);
});
