import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readJobEnvironment, thisHost } from '../../../src/runtime/job/job-environment.js';
import { MemberLock } from '../../../src/runtime/job/member-lock.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'simwright-lock-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const job = readJobEnvironment({ SIMWRIGHT_JOB: 'main', SIMWRIGHT_JOB_ID: '42', SIMWRIGHT_STARTED: '1000' }, '/dir');
const holder = { job: 'main', jobId: '41', host: thisHost(), pid: process.pid, startTicks: '1' };
const lockFile = () => join(dir, 'sweep_0.lock');
const take = () => MemberLock.take(join(dir, 'sweep_0'), job, 3600);

describe('MemberLock', () => {
  test('is a file that says who holds it, for as long as it is held', () => {
    const lock = take();
    expect(JSON.parse(readFileSync(lockFile(), 'utf8'))).toMatchObject({
      job: 'main',
      jobId: '42',
      host: thisHost(),
      pid: process.pid,
      until: 1000 + 3600 + 300,
    });
    expect(take).toThrow(`sweep_0 is being run by job 42 ('main', process ${process.pid} on ${thisHost()})`);
    lock.release();
    expect(existsSync(lockFile())).toBe(false);
    expect(readdirSync(dir)).toEqual([]);
  });

  test('of a process that has gone, or whose number another process has now, is broken', () => {
    const gone = spawnSync('true').pid;
    for (const stale of [{ ...holder, pid: gone }, holder]) {
      writeFileSync(lockFile(), JSON.stringify(stale));
      take().release();
    }
    expect(readdirSync(dir)).toEqual([]);
  });

  test('of another host holds until its walltime is over', () => {
    writeFileSync(lockFile(), JSON.stringify({ ...holder, host: 'elsewhere' }));
    expect(take).toThrow('on elsewhere');
    writeFileSync(lockFile(), JSON.stringify({ ...holder, host: 'elsewhere', until: Date.now() / 1000 + 60 }));
    expect(take).toThrow('on elsewhere');
    writeFileSync(lockFile(), JSON.stringify({ ...holder, host: 'elsewhere', until: Date.now() / 1000 - 60 }));
    take().release();
  });

  test('that cannot be read is held by somebody', () => {
    writeFileSync(lockFile(), 'half a l');
    expect(take).toThrow('sweep_0 is being run by somebody');
  });
});
