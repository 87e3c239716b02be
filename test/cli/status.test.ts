import { rmSync } from 'node:fs';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { expectNothingLeft } from '../helpers/leftovers.js';
import { meanwhile, simwright, startSimwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { bareBin, compiled, patient, withScheduler } from './compiled-jobs.js';

/** The rows below the headings of a table: cells parted by two blanks or more. */
function rows(text: string, heading: string): string[] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`${heading} `));
  const end = lines.indexOf('', start);
  return lines.slice(start + 1, end === -1 ? undefined : end).map((line) => line.trim().replace(/ {2,}/g, ' | '));
}

test('members of a script that was started by hand run, though no submission has it', async () => {
  const workspace = new Workspace();
  workspace.write('app.sh', 'touch started; while [ ! -e ../go ]; do sleep 0.05; done\n', 0o755);
  const write = (level: number) =>
    workspace.workflow(`experiment('e')
  .model('m', command('sh', 'app.sh')).params({ LEVEL: ${level} }).attach({ copy: 'app.sh' })`);
  write(0);
  await compiled(workspace);
  workspace.write('out/run/go', '');
  expect((await simwright(workspace, 'submit', 'out')).exitCode).toBe(0);
  write(1);
  await compiled(workspace);
  rmSync(workspace.path('out/run/go'));
  const script = execa('bash', ['jobs/e.sh'], { cwd: workspace.path('out'), reject: false });
  await meanwhile(
    script,
    'the member runs',
    () => workspace.has('out/run/aside') && workspace.has('out/run/m/started'),
  );
  const { entities } = JSON.parse((await simwright(workspace, 'status', 'out', '--json')).stdout);
  expect(entities).toMatchObject([{ name: 'm', running: 1, interrupted: 0 }]);
  workspace.write('out/run/go', '');
  expect((await script).exitCode).toBe(0);
});

test('of this machine: while it runs, and when it has ended; --watch ends with it', async () => {
  const workspace = new Workspace();
  workspace.write('app.mjs', `${patient(workspace)}if (process.argv[2] === '--LEVEL=0') process.exit(3);`);
  workspace.workflow(`experiment('e')
  .ensemble('sweep', command('node', 'app.mjs', '{args}')).params({ LEVEL: [0, 1] }, { asArgs: ['LEVEL'] })
    .attach({ copy: 'app.mjs' }).colocate({ uds: true })
  .model('never', command('/bin/true')).after('sweep')
  .model('last', command('/bin/true')).after('sweep').batch({ walltime: '00:05:00' })`);
  await compiled(workspace);
  const before = await simwright(workspace, 'status', 'out');
  expect(before).toMatchObject({ exitCode: 2, stdout: '' });
  expect(before.stderr).toContain('error[JOB1004]: nothing has been submitted from');

  const submitted = startSimwright(workspace, 'submit', 'out');
  const watching: ReturnType<typeof startSimwright>[] = [];
  const failedIsWritten = () =>
    workspace.has('out/run/sweep') &&
    workspace.lines('pids').length === 2 &&
    !workspace.has('out/run/sweep/sweep_0.lock');
  await meanwhile(submitted, 'one works, one has failed', failedIsWritten);
  const [id] = workspace.read('out/run/jobs.tsv').split('\t').slice(1);
  const during = await simwright(workspace, 'status', 'out');
  expect(during).toMatchObject({ exitCode: 0, stderr: '' });
  expect(during.stdout).toContain(`e for local in ${workspace.path('out')}\n`);
  expect(rows(during.stdout, 'JOB')).toEqual([
    expect.stringMatching(new RegExp(`^e \\| ${id?.trim()} \\| RUNNING \\| 00:00:\\d\\d$`)),
    'last | PENDING | jobs run one after the other',
  ]);
  expect(rows(during.stdout, 'ENTITY')[0]).toBe('sweep | e | 0 | 1 | 1 | 0 | 0');
  expect(rows(during.stdout, 'STORE')[0]).toMatch(/^sweep \| unix:\/\/\S+ \| [\d.]+ MiB, \d+ requests, 0 inferences$/);
  expect(during.stdout).toContain('\nsweep_0 failed: exit code 3; see run/sweep/sweep_0/sweep_0.err\n');

  watching.push(startSimwright(workspace, 'status', 'out', '--watch', '--interval', '1'));
  watching.push(startSimwright(workspace, 'status', 'out', '--watch', '--interval', '1', '--json'));
  const firstLooks = watching.map((one) => new Promise((resolve) => one.stdout.once('data', resolve)));
  await Promise.all(firstLooks);
  workspace.write('go', '');
  expect((await submitted).exitCode).toBe(4);
  const [plain, json] = await Promise.all(watching);
  expect([plain?.exitCode, json?.exitCode]).toEqual([4, 4]);
  expect(plain?.stdout).toContain(`e (${id?.trim()}): RUNNING\n`);
  expect(plain?.stdout).toContain(`e (${id?.trim()}): FAILED, exit code 3\n`);
  expect(plain?.stdout).toContain('sweep: 1 completed, 1 failed\n');
  const documents = String(json?.stdout).trimEnd().split('\n');
  expect(documents.length).toBeGreaterThan(1);
  expect(JSON.parse(documents[0] ?? '')).toMatchObject({
    ok: true,
    jobs: [{ state: 'RUNNING' }, { state: 'PENDING' }],
  });

  const after = await simwright(workspace, 'status', 'out', '--json');
  expect(after.exitCode).toBe(0);
  expect(JSON.parse(after.stdout)).toMatchObject({
    experiment: 'e',
    site: 'local',
    jobs: [
      { name: 'e', id: id?.trim(), state: 'FAILED', exit: 3, from: 'status files' },
      // Its job waits for the end of the other, which has a neighbour; the runtime then sees that sweep has failed.
      { name: 'last', id: expect.stringMatching(/^\d+$/), state: 'FAILED' },
    ],
    entities: [
      { name: 'sweep', completed: 1, failed: 1, failures: [{ name: 'sweep_0', exit: 3 }] },
      { name: 'never', pending: 1, skipped: expect.stringContaining('sweep_0 failed') },
      { name: 'last', pending: 1 },
    ],
    stores: [{ name: 'sweep', addresses: [], stats: { keys: 0 } }],
    problems: [],
  });
  await expectNothingLeft(workspace.path('out'));
});

test('a process that has got the number of a job since is not taken for it', async () => {
  const workspace = new Workspace();
  workspace.workflow(`experiment('e').model('m', command('/bin/true'))`);
  await compiled(workspace);
  expect((await simwright(workspace, 'submit', 'out')).exitCode).toBe(0);
  // This process runs, and is no script of that folder.
  workspace.write('out/run/jobs.tsv', `e\t${process.pid}\n`);
  const end = await simwright(workspace, 'status', 'out', '--json');
  expect(JSON.parse(end.stdout)).toMatchObject({
    jobs: [{ state: 'FAILED', reason: 'it ended before it launched anything' }],
  });
});

describe('of a scheduler', () => {
  const submitted = 'first\t1\nsecond\t2\nthird\t3\n';

  test('several submissions: the latest, and older jobs that are still there', async () => {
    const squeue = `cat <<END
1|COMPLETED|None|0:10|5:00|1|$FOLDER/out
2|RUNNING|None|1:00:00|5:00|2|$FOLDER/out
3|CANCELLED|None|0:00|5:00|3|$FOLDER/out
4|RUNNING|None|0:05|5:00|4|$FOLDER/out
5|PENDING|Priority|0:00|5:00|5|$FOLDER/out
6|PENDING|Dependency|0:00|5:00|6|$FOLDER/out
END`;
    const sacct = 'echo "1|COMPLETED|0:0|10"; echo "3|CANCELLED by 0|0:0|0"';
    const { workspace, place } = await withScheduler('slurm', { squeue, sacct });
    workspace.write('out/run/jobs.tsv', `${submitted}first\t4\nsecond\t5\nthird\t6\n`);
    const end = await simwright(place, 'status', 'out');
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(rows(end.stdout, 'JOB')).toEqual([
      'second | 2 | RUNNING | 01:00:00',
      'first | 4 | RUNNING | 00:00:05',
      'second | 5 | PENDING | Priority',
      'third | 6 | PENDING | Dependency',
    ]);
  });

  test('that has forgotten a job: its status files tell, with a warning', async () => {
    const squeue = `echo "2|FAILED|NonZeroExitCode|0:02|5:00|2|$FOLDER/out"; echo "3|RUNNING|None|0:02|5:00|3|/"`;
    const { workspace, place } = await withScheduler('slurm', { squeue, sacct: 'exit 1', scontrol: 'exit 1' });
    workspace.write('out/run/jobs.tsv', submitted);
    const of = { time: '2026-01-01T00:00:00.000Z', job: 'first', jobId: '1', entity: 'first', digest: 'd' };
    const launch = { ...of, launch: 'ended', host: 'h', pid: 1, startTicks: '1', exit: 0 };
    workspace.write('out/run/status/first.first.1.jsonl', `${JSON.stringify(launch)}\n`);
    const end = await simwright(place, 'status', 'out');
    expect(end.exitCode).toBe(0);
    expect(rows(end.stdout, 'JOB')).toEqual([
      'first | 1 | COMPLETED | 00:00:00 | 0',
      'second | 2 | FAILED | 00:00:02 | NonZeroExitCode',
      'third | 3 | UNKNOWN',
    ]);
    expect(end.stderr).toContain("warning[JOB1005]: slurm does not know the id 1 of 'first': its state is that of");
    expect(end.stderr).toContain('warning[JOB1005]: slurm has another job under the id 3 by now');
  });

  test('PBS by its JSON', async () => {
    const qstat = `cat <<END
{ "Jobs": { "1.srv": { "job_state": "F", "Exit_status": 0, "resources_used": { "walltime": "00:00:07" } },
  "2.srv": { "job_state": "R" }, "3.srv": { "job_state": "H", "comment": "Job held" } } }
END`;
    const { workspace, place } = await withScheduler('pbs', { qstat });
    workspace.write('out/run/jobs.tsv', 'first\t1.srv\nsecond\t2.srv\nthird\t3.srv\n');
    const end = await simwright(place, 'status', 'out');
    expect(rows(end.stdout, 'JOB')).toEqual([
      'first | 1.srv | COMPLETED | 00:00:07 | 0',
      'second | 2.srv | RUNNING',
      'third | 3.srv | PENDING | Job held',
    ]);
  });

  test('PBS of an array that was deleted: what it says of elements that have run, it says of others as well', async () => {
    const element = '{ "job_state": "F", "substate": 91, "Exit_status": 0, "comment": "Subjob finished" }';
    const qstat = `echo '{ "Jobs": { "1[0].srv": ${element}, "1[1].srv": ${element}, "1[2].srv": ${element} } }'`;
    const { workspace, place } = await withScheduler('pbs', { qstat });
    workspace.workflow("experiment('e').ensemble('s', command('/bin/true')).replicas(3).batch({ mode: 'array' })");
    await compiled(workspace, 'pbs');
    workspace.write('out/run/jobs.tsv', 's\t1[].srv\n');
    const of = { time: '2026-01-01T00:00:00.000Z', job: 's', jobId: '1[1].srv.domain', entity: 's' };
    const launch = { ...of, launch: 'ended', host: 'h', pid: 1, startTicks: '1', exit: 0 };
    workspace.write('out/run/status/s.1.jsonl', `${JSON.stringify(launch)}\n`);
    const end = await simwright(place, 'status', 'out');
    expect(rows(end.stdout, 'JOB')).toEqual(['s | 1[].srv | 1 COMPLETED, 2 CANCELLED | it has never run']);
  });

  test('PBS of a job that ended in time before its walltime was over', async () => {
    const failed = '{ "job_state": "F", "Exit_status": 124, "resources_used": { "walltime": "00:00:55" } }';
    const qstat = `echo '{ "Jobs": { "1.srv": ${failed}, "2.srv": ${failed} } }'`;
    const { workspace, place } = await withScheduler('pbs', { qstat });
    workspace.write('out/run/jobs.tsv', 'first\t1.srv\nsecond\t2.srv\n');
    // The second one's application has ended with that code.
    for (const [job, jobId, state] of [
      ['first', '1.srv', 'interrupted'],
      ['second', '2.srv', 'failed'],
    ] as const) {
      const of = { time: '2026-01-01T00:00:00.000Z', job, jobId, entity: job, digest: 'd' };
      const member = { ...of, index: 0, member: job, params: {}, attempt: 1, state, exit: 124 };
      const launch = { ...of, launch: 'ended', host: 'h', pid: 1, startTicks: '1', exit: 124 };
      workspace.write(
        `out/run/status/${job}.${job}.${jobId}.jsonl`,
        `${JSON.stringify(member)}\n${JSON.stringify(launch)}\n`,
      );
    }
    const end = await simwright(place, 'status', 'out');
    expect(rows(end.stdout, 'JOB')).toEqual([
      'first | 1.srv | TIMEOUT | 00:00:55 | 124 | its launches ended, since its walltime was about to be over',
      'second | 2.srv | FAILED | 00:00:55 | 124',
    ]);
  });

  test('LSF of a job that was told to end, which it does not remember', async () => {
    const bjobs = `[ "$1" != -json ] || exit 255
printf 'JOBID USER STAT QUEUE FROM_HOST EXEC_HOST JOB_NAME SUBMIT_TIME\n'
printf '1 u EXIT q h n first Nov 29 08:09\n2 u EXIT q h n second Nov 29 08:09\n'`;
    const { workspace, place } = await withScheduler('lsf', { bjobs });
    workspace.write('out/run/jobs.tsv', 'first\t1\nsecond\t2\n');
    for (const [job, jobId, reason] of [
      ['first', '1', 'the job got SIGINT'],
      ['second', '2', 'store d of node h has ended'],
    ] as const) {
      const of = { time: '2026-01-01T00:00:00.000Z', job, jobId, entity: job, digest: 'd' };
      const ended = { index: 0, member: job, params: {}, attempt: 1, state: 'interrupted', exit: 255, reason };
      workspace.write(`out/run/status/${job}.${job}.${jobId}.jsonl`, `${JSON.stringify({ ...of, ...ended })}\n`);
    }
    const end = await simwright(place, 'status', 'out');
    expect(rows(end.stdout, 'JOB')).toEqual(['first | 1 | CANCELLED | the job got SIGINT', 'second | 2 | FAILED']);
  });

  test('Cobalt, whose ended jobs tell by their log', async () => {
    const qstat = "printf 'JobID State RunTime\\n====\\n3 dep_hold N/A\\n'";
    const { workspace, place } = await withScheduler('cobalt', { qstat });
    workspace.write('out/run/jobs.tsv', submitted);
    workspace.write('out/logs/first.cobaltlog', 'Info: task completed normally with an exit code of 0; cleanup\n');
    workspace.write('out/logs/second.cobaltlog', 'Info: task completed with an exit code of 3; cleanup\n');
    const end = await simwright(place, 'status', 'out', '--json');
    expect(JSON.parse(end.stdout)).toMatchObject({
      jobs: [
        { name: 'first', state: 'COMPLETED', exit: 0 },
        { name: 'second', state: 'FAILED', exit: 3 },
        { name: 'third', state: 'PENDING', reason: 'dep_hold' },
      ],
      problems: [],
    });
  });

  test('that does not answer, refuses to, or is not there', async () => {
    const { workspace, place } = await withScheduler('slurm', { squeue: 'exec sleep 60' });
    workspace.write('out/run/jobs.tsv', submitted);
    const late = await simwright(place, 'status', 'out', '--timeout', '1');
    expect(late).toMatchObject({ exitCode: 3, stdout: '' });
    expect(late.stderr).toContain('error[JOB1002]: squeue did not answer within 1 s');
    workspace.write('bin/squeue', '#!/bin/sh\necho "Unable to contact slurm controller" >&2\nexit 1\n', 0o755);
    const away = await simwright(place, 'status', 'out', '--json');
    expect(away.exitCode).toBe(3);
    expect(JSON.parse(away.stdout)).toMatchObject({
      ok: false,
      problems: [{ code: 'JOB1002', message: expect.stringContaining('Unable to contact slurm controller') }],
    });
    const none = await simwright({ ...place, env: { PATH: bareBin(workspace) } }, 'status', 'out');
    expect(none.exitCode).toBe(3);
    expect(none.stderr).toContain("error[JOB1003]: 'squeue' is not on the PATH");
  });
});
