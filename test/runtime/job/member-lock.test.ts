import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readJobEnvironment, thisHost } from '../../../src/runtime/job/job-environment.js';
import { type LockTaker, MemberLock } from '../../../src/runtime/job/member-lock.js';
import { ownIdentity } from '../../../src/runtime/job/process-identity.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'simwright-lock-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const job = readJobEnvironment({ SIMWRIGHT_JOB: 'main', SIMWRIGHT_JOB_ID: '42', SIMWRIGHT_STARTED: '1000' }, '/dir');
const holder = { job: 'main', jobId: '41', host: thisHost(), pid: process.pid, startTicks: '1' };
const lockFile = () => join(dir, 'sweep_0.lock');
const take = (taker: Partial<LockTaker> = {}) =>
  MemberLock.take(join(dir, 'sweep_0'), { job, walltimeSeconds: 3600, scheduler: undefined, ...taker });
const write = (text: object | string) =>
  writeFileSync(lockFile(), typeof text === 'string' ? text : JSON.stringify(text));

describe('MemberLock', () => {
  test('is a file that says who holds it, for as long as it is held', async () => {
    const lock = await take();
    expect(JSON.parse(readFileSync(lockFile(), 'utf8'))).toMatchObject({
      job: 'main',
      jobId: '42',
      host: thisHost(),
      pid: process.pid,
      until: 1000 + 3600 + 300,
    });
    await expect(take()).rejects.toThrow(
      `sweep_0 is being run by job 42 ('main', process ${process.pid} on ${thisHost()})`,
    );
    lock.release();
    expect(existsSync(lockFile())).toBe(false);
    expect(readdirSync(dir)).toEqual([]);
  });

  test('is had by one of those who want it at the same time', async () => {
    const taken = await Promise.allSettled([take(), take(), take()]);
    expect(taken.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
  });

  test('of a process that has gone, or whose number another process has now, is broken', async () => {
    const gone = spawnSync('true').pid;
    for (const stale of [{ ...holder, pid: gone }, holder]) {
      write(stale);
      (await take()).release();
    }
    expect(readdirSync(dir)).toEqual([]);
  });

  test('of another host holds until its walltime is over', async () => {
    write({ ...holder, host: 'elsewhere' });
    await expect(take()).rejects.toThrow('on elsewhere');
    write({ ...holder, host: 'elsewhere', until: Date.now() / 1000 + 60 });
    await expect(take()).rejects.toThrow('on elsewhere');
    write({ ...holder, host: 'elsewhere', until: Date.now() / 1000 - 60 });
    (await take()).release();
  });

  test('that cannot be read is held by somebody', async () => {
    write('half a l');
    await expect(take()).rejects.toThrow('sweep_0 is being run by somebody');
  });
});

describe('MemberLock under a scheduler', () => {
  const asked: string[] = [];
  const scheduler = (answer: boolean | undefined, restarts = 0) => ({
    name: 'slurm/here',
    restarts,
    holds: async (id: string) => {
      asked.push(id);
      return answer;
    },
  });
  const elsewhere = { ...holder, host: 'elsewhere', scheduler: 'slurm/here', restarts: 0 };
  beforeEach(() => {
    asked.length = 0;
  });

  test('names the scheduler, and how often it has started the job again', async () => {
    const lock = await take({ scheduler: scheduler(true, 2) });
    expect(JSON.parse(readFileSync(lockFile(), 'utf8'))).toMatchObject({ scheduler: 'slurm/here', restarts: 2 });
    expect(readFileSync(lockFile(), 'utf8')).not.toContain('until');
    lock.release();
  });

  test('of another job holds for as long as the scheduler says so, whatever the plan says', async () => {
    write(elsewhere);
    await expect(take({ scheduler: scheduler(true), walltimeSeconds: 1 })).rejects.toThrow('being run by job 41');
    await expect(take({ scheduler: scheduler(undefined) })).rejects.toThrow(
      'the scheduler does not say whether that job has ended',
    );
    (await take({ scheduler: scheduler(false) })).release();
    expect(asked).toEqual(['41', '41', '41']);
  });

  test.each([
    ['on another host', { ...elsewhere, jobId: '42' }, 0],
    ['on this host, before it was started again', { ...elsewhere, ...ownIdentity(), jobId: '42', host: thisHost() }, 1],
  ])('of this very job %s is stale at once', async (_where, lock, restarts) => {
    write(lock);
    (await take({ scheduler: scheduler(true, restarts) })).release();
    expect(asked).toEqual([]);
  });

  test('of this very start of the job on this host holds while its process lives', async () => {
    write({ ...elsewhere, ...ownIdentity(), jobId: '42', host: thisHost() });
    await expect(take({ scheduler: scheduler(false) })).rejects.toThrow('being run by job 42');
  });

  test('of another cluster, or of none, is no matter of this one', async () => {
    write({ ...elsewhere, scheduler: 'slurm/there' });
    await expect(take({ scheduler: scheduler(false) })).rejects.toThrow('being run by job 41');
    write({ ...holder, host: 'elsewhere', until: Date.now() / 1000 + 60 });
    await expect(take({ scheduler: scheduler(false) })).rejects.toThrow('being run by job 41');
    expect(asked).toEqual([]);
  });
});
