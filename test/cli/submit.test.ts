import { describe, expect, test } from 'vitest';
import { expectNothingLeft } from '../helpers/leftovers.js';
import { meanwhile, simwright, startSimwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { bareBin, compiled, patient, withScheduler } from './compiled-jobs.js';

describe('on this machine', () => {
  test('jobs run to their end, NAME and JOBID a line; a member is retried; --fresh starts over', async () => {
    const workspace = new Workspace();
    workspace.write(
      'app.mjs',
      `import { appendFileSync, readFileSync } from 'node:fs';
const tries = ${JSON.stringify(workspace.path('tries'))};
appendFileSync(tries, 'x');
if (readFileSync(tries, 'utf8').length < 3) process.exit(3);
`,
    );
    workspace.workflow(`experiment('e')
  .model('flaky', command('node', 'app.mjs')).attach({ copy: 'app.mjs' })
  .model('next', command('/bin/true')).after('flaky').batch({ walltime: '00:05:00' })`);
    await compiled(workspace);
    const failed = await simwright(workspace, 'submit', 'out');
    expect(failed).toMatchObject({ exitCode: 4, stdout: expect.stringMatching(/^e\t\d+\n$/) });
    expect(failed.stderr).toContain('submit.sh: next does not run, since it needs e to be completed\n');
    expect(failed.stderr).toContain(`failed: exit code 3; simwright status ${workspace.path('out')}`);

    const retried = await simwright(workspace, 'submit', 'out', '--retry', '2');
    expect(retried).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^e\t\d+\nnext\t\d+\n$/) });
    expect(workspace.read('tries')).toBe('xxx');
    const again = await simwright(workspace, 'submit', 'out', '--fresh', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({
      ok: true,
      exitCode: 0,
      folder: workspace.path('out'),
      jobs: [
        { name: 'e', id: expect.stringMatching(/^\d+$/) },
        { name: 'next', id: expect.stringMatching(/^\d+$/) },
      ],
    });
    expect(workspace.read('tries')).toBe('xxxx');
    expect(workspace.lines('out/run/jobs.tsv')).toHaveLength(5);
    await expectNothingLeft(workspace.path('out'));
  });

  test('a signal ends the job that runs', async () => {
    const workspace = new Workspace();
    workspace.write('app.mjs', patient(workspace));
    workspace.workflow(`experiment('e').model('m', command('node', 'app.mjs')).attach({ copy: 'app.mjs' })`);
    await compiled(workspace);
    const submitted = startSimwright(workspace, 'submit', 'out');
    await meanwhile(submitted, 'it works', () => workspace.lines('pids').length === 1);
    submitted.kill('SIGTERM');
    expect((await submitted).exitCode).toBe(143);
    await expectNothingLeft(workspace.path('out'));
  });
});

describe('a scheduler', () => {
  const sbatch = `n=$(ls "$FOLDER" | grep -c ^call-)
touch "$FOLDER/call-$n"
case $* in *"$REFUSED"*) echo 'sbatch: error: invalid account' >&2; exit 1 ;; esac
echo "10$n"`;
  const scancel = 'echo "$@" >>"$FOLDER/cancelled"';

  test('takes all jobs', async () => {
    const { workspace, place } = await withScheduler('slurm', { sbatch, scancel });
    const end = await simwright({ ...place, env: { ...place.env, REFUSED: 'none' } }, 'submit', 'out');
    expect(end).toMatchObject({ exitCode: 0, stdout: 'first\t100\nsecond\t101\nthird\t102\n', stderr: '' });
    expect(workspace.has('cancelled')).toBe(false);
  });

  test('refuses the last: those before it are cancelled, exit code 3, its own words', async () => {
    const { workspace, place } = await withScheduler('slurm', { sbatch, scancel });
    const env = { ...place.env, REFUSED: 'third.sbatch' };
    workspace.write('out/run/jobs.tsv', 'first\t1\nsecond\t2\nthird\t3\n');
    const end = await simwright({ ...place, env }, 'submit', 'out');
    expect(end.exitCode).toBe(3);
    expect(end.stderr).toContain('error[JOB1001]: job third was refused\nsbatch: error: invalid account\n');
    expect(end.stderr).toContain('hint: cancelled what had been submitted: 100 101');
    expect(workspace.lines('cancelled')).toEqual(['100 101']);
    // What is cancelled again is no submission.
    expect(workspace.read('out/run/jobs.tsv')).toBe('first\t1\nsecond\t2\nthird\t3\n');
    const json = await simwright({ ...place, env }, 'submit', 'out', '--json');
    expect(json.exitCode).toBe(3);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, problems: [{ code: 'JOB1001' }] });
  });

  test('refuses the first: nothing is to be cancelled', async () => {
    const { workspace, place } = await withScheduler('slurm', { sbatch, scancel });
    const end = await simwright({ ...place, env: { ...place.env, REFUSED: 'first' } }, 'submit', 'out');
    expect(end.exitCode).toBe(3);
    expect(end.stderr).toContain('hint: nothing has been submitted');
    expect(workspace.has('cancelled')).toBe(false);
  });

  test('that cannot cancel: the ids that stay in the queue are said, and stay in jobs.tsv', async () => {
    const { workspace, place } = await withScheduler('slurm', { sbatch, scancel: 'exit 1' });
    const end = await simwright({ ...place, env: { ...place.env, REFUSED: 'second' } }, 'submit', 'out');
    expect(end.exitCode).toBe(3);
    expect(end.stderr).toContain('submitted, and could not be cancelled: 100');
    expect(workspace.read('out/run/jobs.tsv')).toBe('first\t100\n');
  });

  test('a signal on the way takes back what was submitted, the job under way included', async () => {
    const slow = `${sbatch}; if [ "$n" = 1 ]; then touch "$FOLDER/second"; until [ -e "$FOLDER/go" ]; do sleep 0.05; done; fi`;
    const { workspace, place } = await withScheduler('slurm', { sbatch: slow, scancel });
    const submitted = startSimwright({ ...place, env: { ...place.env, REFUSED: 'none' } }, 'submit', 'out');
    await meanwhile(submitted, 'the second is on its way', () => workspace.has('second'));
    submitted.kill('SIGTERM');
    workspace.write('go', '');
    expect((await submitted).exitCode).toBe(143);
    expect(workspace.lines('cancelled')).toEqual(['100 101']);
    expect(workspace.read('out/run/jobs.tsv')).toBe('');
  }, 180_000);

  test('is not there: its command is named', async () => {
    const { workspace } = await withScheduler('pbs', {});
    const env = { PATH: bareBin(workspace, 'bash', 'dirname', 'mkdir') };
    const end = await simwright({ cwd: workspace.cwd, env }, 'submit', 'out');
    expect(end).toMatchObject({ exitCode: 3, stdout: '' });
    expect(end.stderr).toContain("error[JOB1003]: 'qsub' is not on the PATH");
  });
});

describe('--test-only', () => {
  test("shows Slurm's verdict on each script", async () => {
    const sbatch = `[ "$1" = --test-only ] || exit 9
case $2 in *second*) echo 'allocation failure: Invalid account' >&2; exit 1 ;; esac
echo "sbatch: Job 7 to start at 2026-01-01T00:00:00" >&2`;
    const { workspace, place } = await withScheduler('slurm', { sbatch });
    const end = await simwright(place, 'submit', 'out', '--test-only');
    expect(end.exitCode).toBe(3);
    expect(end.stdout).toBe(
      'first\tsbatch: Job 7 to start at 2026-01-01T00:00:00\nthird\tsbatch: Job 7 to start at 2026-01-01T00:00:00\n',
    );
    expect(end.stderr).toContain('error[JOB1001]: job second would be refused\nallocation failure: Invalid account\n');
    expect(workspace.has('out/run')).toBe(false);
    const json = await simwright(place, 'submit', 'out', '--test-only', '--json');
    expect(json.exitCode).toBe(3);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, jobs: [{ accepted: true }, { accepted: false }, {}] });
  });

  test.each(['local', 'pbs', 'lsf', 'cobalt'])('%s has none', async (site) => {
    const { place } = await withScheduler(site, {}).catch(() => ({ place: undefined }));
    // Cobalt's jobs wait for one kind of event, which these are.
    if (place === undefined) throw new Error(`${site} does not compile`);
    const end = await simwright(place, 'submit', 'out', '--test-only');
    expect(end).toMatchObject({ exitCode: 2, stdout: '' });
    expect(end.stderr).toContain(`error[CLI1001]: --test-only: ${site} gives no verdict on a script`);
  });
});

test('a folder that compile has not written', async () => {
  const workspace = new Workspace();
  for (const command of ['submit', 'status', 'cancel']) {
    for (const folder of ['nowhere', '.']) {
      const end = await simwright(workspace, command, folder);
      expect(end).toMatchObject({ exitCode: 2, stdout: '' });
      expect(end.stderr).toContain('error[RUN1001]: there is no ');
    }
  }
});
