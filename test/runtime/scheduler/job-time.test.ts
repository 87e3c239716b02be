import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TargetName } from '../../../src/ir/index.js';
import { readJobEnvironment } from '../../../src/runtime/job/job-environment.js';
import { JobTime } from '../../../src/runtime/scheduler/job-time.js';
import { makePlan } from '../support/make-plan.js';

/*
 * Answers of schedulers about a job's time, in their own formats; test/slurm asks a real one.
 */

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'simwright-time-'));
  mkdirSync(join(dir, 'jobs'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Seconds for which the job has run by this machine's clock. */
const ran = 100;

/** The time of a job whose plan says 10 minutes, with a command that answers, and the script that it runs. */
function timeOf(
  target: TargetName,
  {
    answer = {},
    script = '',
    env = {},
  }: { answer?: Record<string, string>; script?: string; env?: Record<string, string> },
): JobTime {
  for (const [name, text] of Object.entries(answer)) {
    writeFileSync(join(dir, name), `#!/bin/sh\n/bin/cat <<'END'\n${text}\nEND\n`);
    chmodSync(join(dir, name), 0o755);
  }
  writeFileSync(join(dir, 'jobs/main.sh'), `#!/bin/bash\n${script}\n\nset -e\n`);
  const variables = {
    SIMWRIGHT_JOB: 'main',
    SIMWRIGHT_JOB_ID: target === 'pbs' ? '7.srv' : '7',
    SIMWRIGHT_STARTED: String(Math.floor(Date.now() / 1000) - ran),
  };
  const allocation = { nodes: 1, exclusive: false, walltimeSeconds: 600 };
  const plan = { ...makePlan([{ name: 'm' }], [], { allocation }), target };
  return new JobTime(readJobEnvironment(variables, dir), plan, {
    PATH: dir,
    SLURM_CONF: '/nowhere',
    ...env,
  });
}

/** Seconds that are left, to the next twenty: this machine may be busy. */
const left = ({ endMs }: JobTime) => (endMs === undefined ? undefined : Math.ceil((endMs - Date.now()) / 20_000) * 20);

const bjobs = (fields: object) => JSON.stringify({ RECORDS: [{ JOBID: '7', JOBINDEX: '0', STAT: 'RUN', ...fields }] });
const qstat = (limit: string, used: string) =>
  JSON.stringify({
    Jobs: { '7.srv': { job_state: 'R', Resource_List: { walltime: limit }, resources_used: { walltime: used } } },
  });

describe('the scheduler knows', () => {
  test.each<[string, TargetName, Record<string, string>, number | undefined]>([
    ['a walltime that was changed', 'slurm', { squeue: '7|RUNNING|None|1:40|20:00|7|/x' }, 1100],
    [
      'one of an element by its own id',
      'slurm',
      { squeue: '5_1|RUNNING|None|1:40|5:00|6|/x\n5_2|RUNNING|None|1:40|20:00|7|/x' },
      1100,
    ],
    ['a job that was suspended for a minute', 'slurm', { squeue: '7|RUNNING|None|0:40|10:00|7|/x' }, 560],
    ['a job without a limit', 'slurm', { squeue: '7|RUNNING|None|1:40|UNLIMITED|7|/x' }, undefined],
    ['PBS, whose nodes have just reported', 'pbs', { qstat: qstat('00:20:00', '00:01:40') }, 1100],
    ['PBS, whose nodes have not reported for a while', 'pbs', { qstat: qstat('00:20:00', '00:00:10') }, 1100],
    ['LSF, in minutes', 'lsf', { bjobs: bjobs({ RUN_TIME: '100 second(s)', RUNTIMELIMIT: '20.0/n1' }) }, 1100],
    ['LSF, by the clock', 'lsf', { bjobs: bjobs({ RUN_TIME: '00:01:40', RUNTIMELIMIT: '00:20:00' }) }, 1100],
    ['Cobalt', 'cobalt', { qstat: `JobID State RunTime WallTime\n====\n7 running 00:01:40 00:20:00` }, 1100],
  ])('%s', async (_what, target, answer, seconds) => {
    const time = timeOf(target, { answer });
    await time.ask();
    expect(left(time)).toBe(seconds);
    const graceMs = time.endMs === undefined ? undefined : time.endMs - (time.deadlineMs ?? 0);
    if (seconds !== undefined) expect(graceMs).toBe(60_000);
  });

  test('a long suspension under PBS, as far as its nodes may be behind', async () => {
    const time = timeOf('pbs', { answer: { qstat: qstat('01:00:00', '00:00:20') }, env: {} });
    await time.ask();
    // The job has run 100 s by the clock, which is within what the nodes may be behind.
    expect(left(time)).toBe(3500);
  });
});

describe('without an answer', () => {
  test.each<[string, TargetName, string, number | undefined]>([
    ['the script of Slurm counts, not the plan', 'slurm', '#SBATCH --time=5', 200],
    ['that of PBS', 'pbs', '#PBS -l walltime=00:05:00', 200],
    ['that of LSF', 'lsf', '#BSUB -W 00:05', 200],
    ['that of Cobalt', 'cobalt', '#COBALT -t 5', 200],
    ['that of Grid Engine', 'sge', '#$ -l h_rt=300', 200],
    ['a script that asks for nothing has no deadline', 'slurm', '#SBATCH --nodes=1', undefined],
    ['where there is no scheduler, the plan counts', 'local', '#SBATCH --time=5', 500],
  ])('%s', async (_what, target, script, seconds) => {
    const time = timeOf(target, { script });
    expect(left(time)).toBe(seconds);
    await time.ask();
    expect(left(time)).toBe(seconds);
  });

  test('the end that Slurm tells in the environment counts more than the script', () => {
    const end = String(Math.floor(Date.now() / 1000) + 1000);
    const time = timeOf('slurm', { script: '#SBATCH --time=5', env: { SLURM_JOB_END_TIME: end } });
    expect([left(time), time.isTold]).toEqual([1000, true]);
  });
});
