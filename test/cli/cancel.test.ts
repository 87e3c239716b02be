import { rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { expectNothingLeft } from '../helpers/leftovers.js';
import { meanwhile, simwright, startSimwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { compiled, patient, withScheduler } from './compiled-jobs.js';

/** Two jobs that work until they are ended, one after the other. */
async function twoJobs(): Promise<Workspace> {
  const workspace = new Workspace();
  workspace.write('app.mjs', patient(workspace));
  workspace.workflow(`experiment('e')
  .model('first', command('node', 'app.mjs')).attach({ copy: 'app.mjs' }).colocate({ uds: true }).batch({ walltime: '00:05:00' })
  .model('second', command('node', 'app.mjs')).attach({ copy: 'app.mjs' }).batch({ walltime: '00:05:00' })`);
  await compiled(workspace);
  return workspace;
}

const atWork = (workspace: Workspace, count: number) => () => workspace.lines('pids').length === count;

test('of this machine: the job that runs ends, the next does not start, nothing is left; again, there is nothing to cancel', async () => {
  const workspace = await twoJobs();
  const submitted = startSimwright(workspace, 'submit', 'out');
  await meanwhile(submitted, 'it works', atWork(workspace, 1));
  const end = await simwright(workspace, 'cancel', 'out');
  expect(end).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^first\t\d+\tCANCELLED\n$/), stderr: '' });
  expect((await submitted).exitCode).toBe(143);
  expect(workspace.lines('pids')).toHaveLength(1);
  await expectNothingLeft(workspace.path('out'));

  const again = await simwright(workspace, 'cancel', 'out');
  expect(again).toMatchObject({ exitCode: 0, stdout: '', stderr: 'nothing to cancel: no job waits or runs\n' });
  const json = await simwright(workspace, 'cancel', 'out', '--json');
  expect(JSON.parse(json.stdout)).toEqual({ ok: true, folder: workspace.path('out'), jobs: [] });
});

test('--job ends one, and the next one starts', async () => {
  const workspace = await twoJobs();
  const submitted = startSimwright(workspace, 'submit', 'out');
  await meanwhile(submitted, 'the first works', atWork(workspace, 1));
  expect((await simwright(workspace, 'cancel', 'out', '--job', 'second')).stderr).toContain('nothing to cancel');
  const end = await simwright(workspace, 'cancel', 'out', '--job', 'first', '--json');
  expect(JSON.parse(end.stdout)).toMatchObject({ ok: true, jobs: [{ name: 'first', state: 'CANCELLED' }] });
  await meanwhile(submitted, 'the second works', atWork(workspace, 2));
  workspace.write('go', '');
  await submitted;
  expect((await simwright(workspace, 'status', 'out')).stdout).toMatch(/second +\d+ +COMPLETED/);
  const unknown = await simwright(workspace, 'cancel', 'out', '--job', 'frist');
  expect(unknown.exitCode).toBe(2);
  expect(unknown.stderr).toContain("error[CLI1001]: experiment 'e' has no job 'frist'");
  expect(unknown.stderr).toContain("did you mean 'first'?");
});

test('a process that has got the number of a job since is left alone', async () => {
  const workspace = await twoJobs();
  workspace.write('out/run/jobs.tsv', `first\t${process.pid}\n`);
  expect((await simwright(workspace, 'cancel', 'out')).stderr).toContain('nothing to cancel');
});

test('of a scheduler: what waits or runs, with its own command, until it has ended', async () => {
  const squeue = `state=RUNNING; [ ! -e "$FOLDER/gone" ] || state=CANCELLED
echo "1|COMPLETED|None|0:10|5:00|1|$FOLDER/out"; echo "2|$state|None|0:05|5:00|2|$FOLDER/out"; echo "3|$state|None|0:05|5:00|3|$FOLDER/out"`;
  const scancel = 'echo "$@" >>"$FOLDER/cancelled"; touch "$FOLDER/gone"';
  const { workspace, place } = await withScheduler('slurm', { squeue, sacct: 'exit 1', scontrol: 'exit 1', scancel });
  workspace.write('out/run/jobs.tsv', 'first\t1\nsecond\t2\nthird\t3\n');
  const end = await simwright(place, 'cancel', 'out');
  expect(end).toMatchObject({ exitCode: 0, stdout: 'second\t2\tCANCELLED\nthird\t3\tCANCELLED\n' });
  expect(workspace.lines('cancelled')).toEqual(['2 3']);
});

test('of a folder whose plan another version of simwright wrote: its jobs are ended all the same', async () => {
  const squeue = `state=RUNNING; [ ! -e "$FOLDER/gone" ] || state=CANCELLED
echo "2|$state|None|0:05|5:00|2|$FOLDER/out"`;
  const scancel = 'touch "$FOLDER/gone"';
  const { workspace, place } = await withScheduler('slurm', { squeue, sacct: 'exit 1', scontrol: 'exit 1', scancel });
  const plan = JSON.parse(workspace.read('out/plan.json'));
  for (const version of [plan.version - 1, plan.version + 1]) {
    workspace.write('out/plan.json', JSON.stringify({ ...plan, version }));
    workspace.write('out/run/jobs.tsv', 'second\t2\n');
    rmSync(workspace.path('gone'), { force: true });
    expect(await simwright(place, 'cancel', 'out')).toMatchObject({ exitCode: 0, stdout: 'second\t2\tCANCELLED\n' });
  }
});

test('of a PBS that answers for one job at a time: each is asked about, and what it does not know is told to end as well', async () => {
  const qstat = `for id; do case $id in *.srv) break;; esac; done
case $id in
  3.srv) echo "qstat: Unknown Job Id 3.srv" >&2; exit 153;;
  *) state='"job_state": "R"'; [ ! -e "$FOLDER/gone" ] || state='"job_state": "F", "substate": 91, "Exit_status": 271'
    cat <<EOF
{ "Jobs": { "$id": { $state, "comment": "it\\'s", "Job_Name": nan } } }
EOF
    ;;
esac`;
  const qdel = 'echo "$@" >>"$FOLDER/cancelled"; touch "$FOLDER/gone"; [ $# -gt 1 ] || exit 0; exit 153';
  const { workspace, place } = await withScheduler('pbs', { qstat, qdel });
  workspace.write('out/run/jobs.tsv', 'first\t1.srv\nsecond\t2.srv\nthird\t3.srv\n');
  const end = await simwright(place, 'cancel', 'out');
  expect(end).toMatchObject({
    exitCode: 0,
    stdout: 'first\t1.srv\tCANCELLED\nsecond\t2.srv\tCANCELLED\nthird\t3.srv\tUNKNOWN\n',
  });
  expect(workspace.lines('cancelled')).toEqual(['1.srv 2.srv 3.srv', '1.srv', '2.srv', '3.srv']);
});

test('jobs that do not end in time are an error that names them, with what the command said', async () => {
  const qstat = 'echo \'{ "Jobs": { "2.srv": { "job_state": "R" } } }\'';
  const { workspace, place } = await withScheduler('pbs', {
    qstat,
    qdel: 'echo "qdel: Server could not connect to MOM" >&2; exit 1',
  });
  workspace.write('out/run/jobs.tsv', 'second\t2.srv\n');
  const end = await simwright(place, 'cancel', 'out', '--timeout', '1');
  expect(end).toMatchObject({ exitCode: 3, stdout: '' });
  expect(end.stderr).toContain(
    'error[JOB1006]: not ended within 1 s: second (2.srv, RUNNING); qdel said: qdel: Server could not connect to MOM\n',
  );
});
