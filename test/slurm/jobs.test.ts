import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { patient } from '../cli/compiled-jobs.js';
import { processesOf } from '../helpers/leftovers.js';
import { simwright } from '../helpers/simwright.js';
import type { Workspace } from '../helpers/workspace.js';
import { waitUntil } from '../runtime/support/wait-until.js';
import { useCluster, whyNoSlurm } from './cluster.js';
import { sharedWorkspace } from './workspaces.js';

const why = whyNoSlurm();

/** A job array that works until `go` is there, a job that fails, and one that waits for the array. */
function withJobs(): Workspace {
  const workspace = sharedWorkspace();
  workspace.write('app.mjs', patient(workspace));
  workspace.workflow(`experiment('e')
  .ensemble('sweep', command('node', 'app.mjs', '{args}')).params({ LEVEL: [0, 1, 2] }, { asArgs: ['LEVEL'] })
    .attach({ copy: 'app.mjs' }).batch({ mode: 'array', maxConcurrent: 2, walltime: '00:05:00' })
  .model('bad', command('node', '-e', 'process.exit(3)')).batch({ walltime: '00:05:00' })
  .model('last', command('/bin/true')).after('sweep').batch({ walltime: '00:05:00' })`);
  return workspace;
}

describe.skipIf(why !== '')(`jobs of a real Slurm${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  const cluster = useCluster();

  const call = (workspace: Workspace, ...words: readonly string[]) =>
    simwright({ cwd: workspace.cwd, env: cluster().env }, ...words);

  async function compiled(workspace: Workspace): Promise<void> {
    const end = await call(workspace, 'compile', 'workflow.ts', '--site', 'slurm', '--out', 'out');
    expect(end.exitCode, end.stderr).toBe(0);
  }

  /** Submits; ids by job. */
  async function submitted(workspace: Workspace): Promise<Readonly<Record<string, string>>> {
    const end = await call(workspace, 'submit', 'out');
    expect(end, end.stderr).toMatchObject({ exitCode: 0, stderr: '' });
    return Object.fromEntries(
      end.stdout
        .trim()
        .split('\n')
        .map((row) => row.split('\t')),
    );
  }

  /** A PATH without the accounting's command. */
  function withoutAccounting(workspace: Workspace): Readonly<Record<string, string>> {
    const folders = (process.env['PATH'] ?? '').split(':');
    workspace.write('queue/.keep', '');
    for (const tool of ['squeue', 'scontrol']) {
      const path = folders.map((folder) => join(folder, tool)).find((one) => existsSync(one)) ?? tool;
      symlinkSync(path, workspace.path('queue', tool));
    }
    return { ...cluster().env, PATH: workspace.path('queue') };
  }

  const queue = async () => (await cluster().ask('squeue', '-h', '-o', '%i')).split('\n').filter((line) => line !== '');

  test('submit, status with and without accounting while they run and when they have ended', async () => {
    const workspace = withJobs();
    await compiled(workspace);
    const { sweep = '', bad = '', last = '' } = await submitted(workspace);
    expect(workspace.read('out/run/jobs.tsv')).toBe(`sweep\t${sweep}\nbad\t${bad}\nlast\t${last}\n`);
    await waitUntil('two work', () => workspace.lines('pids').length === 2, 60);
    await cluster().ended(bad);
    const bare = withoutAccounting(workspace);
    const running = {
      site: 'slurm',
      jobs: [
        { name: 'sweep', id: sweep, state: 'RUNNING', elements: { RUNNING: 2, PENDING: 1 }, from: 'scheduler' },
        { name: 'bad', id: bad, state: 'FAILED', exit: 3, from: 'scheduler' },
        { name: 'last', id: last, state: 'PENDING', reason: 'Dependency', from: 'scheduler' },
      ],
      entities: [
        { name: 'sweep', running: 2, pending: 1 },
        { name: 'bad', failed: 1, failures: [{ name: 'bad', exit: 3, output: 'run/bad/bad.err' }] },
        { name: 'last', pending: 1 },
      ],
      problems: [],
    };
    for (const env of [cluster().env, bare]) {
      const end = await simwright({ cwd: workspace.cwd, env }, 'status', 'out', '--json');
      expect(JSON.parse(end.stdout)).toMatchObject(running);
    }
    workspace.write('go', '');
    const watched = await call(workspace, 'status', 'out', '--watch', '--interval', '1');
    expect(watched.exitCode).toBe(4);
    expect(watched.stdout).toContain(`sweep (${sweep}): 3 COMPLETED, exit code 0\n`);
    expect(watched.stdout).toContain(`last (${last}): COMPLETED, exit code 0\n`);
    for (const env of [cluster().env, bare]) {
      const end = await simwright({ cwd: workspace.cwd, env }, 'status', 'out', '--json');
      expect(JSON.parse(end.stdout)).toMatchObject({
        jobs: [
          { state: 'COMPLETED', exit: 0, elements: { COMPLETED: 3 } },
          { state: 'FAILED', exit: 3 },
          { state: 'COMPLETED', exit: 0 },
        ],
      });
    }
  }, 540_000);

  test('refused half-way: no job is left, and Slurm says why; --test-only says it before', async () => {
    const workspace = withJobs();
    await compiled(workspace);
    const script = workspace.path('out/jobs/bad.sbatch');
    writeFileSync(
      script,
      readFileSync(script, 'utf8').replace('#SBATCH --nodes', '#SBATCH --partition=nosuch\n#SBATCH --nodes'),
    );
    const verdict = await call(workspace, 'submit', 'out', '--test-only');
    expect(verdict.exitCode).toBe(3);
    expect(verdict.stdout).toMatch(/^sweep\tsbatch: Job \d+ to start at \S+ .*\nlast\tsbatch: Job \d+ to start at /);
    expect(verdict.stderr).toContain('error[JOB1001]: job bad would be refused\n');
    expect(verdict.stderr).toContain('nosuch');
    expect(await queue()).toEqual([]);

    const end = await call(workspace, 'submit', 'out');
    expect(end.exitCode).toBe(3);
    expect(end.stderr).toContain(
      'error[JOB1001]: job bad was refused\nsbatch: error: invalid partition specified: nosuch\n',
    );
    const [, id] = end.stdout.trim().split('\t');
    expect(end.stderr).toContain(`hint: cancelled what had been submitted: ${id}`);
    await waitUntil('the queue is empty', async () => (await queue()).length === 0 || queue(), 60);
    expect(await cluster().account(id ?? '')).toSatisfy((elements: { state: string }[]) =>
      elements.every(({ state }) => state.startsWith('CANCELLED')),
    );
    expect(workspace.read('out/run/jobs.tsv')).toBe('');
  }, 360_000);

  test('cancel in the middle: all jobs end, no process is left', async () => {
    const workspace = withJobs();
    await compiled(workspace);
    const { sweep = '', last = '' } = await submitted(workspace);
    await waitUntil('two work', () => workspace.lines('pids').length === 2, 60);
    const compile = ['compile', 'workflow.ts', '--site', 'slurm', '--out', 'out'];
    const refused = await call(workspace, ...compile);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('error[OUT1003]');
    expect(refused.stderr).toContain(`sweep (${sweep}, RUNNING)`);
    expect(refused.stderr).toContain(`last (${last}, PENDING)`);
    expect((await call(workspace, ...compile, '--force')).exitCode).toBe(0);
    for (const submit of [
      call(workspace, 'submit', 'out'),
      execa(workspace.path('out/submit.sh'), { env: cluster().env, reject: false }),
    ]) {
      const again = await submit;
      expect(again.exitCode).toBe(1);
      expect(again.stderr).toContain('error[OUT1003]');
      expect(again.stderr).toContain(`sweep (${sweep}, RUNNING)`);
      expect(again.stderr).toContain(`last (${last}, PENDING)`);
    }
    const end = await call(workspace, 'cancel', 'out');
    expect(end.exitCode, end.stderr).toBe(0);
    expect(end.stdout).toContain(`sweep\t${sweep}\tCANCELLED\n`);
    expect(end.stdout).toContain(`last\t${last}\tCANCELLED\n`);
    expect(await queue()).toEqual([]);
    await waitUntil('no process is left', () => processesOf(workspace.path('out')).length === 0, 30);
    for (const node of ['node1', 'node2', 'node3', 'node4']) {
      expect(await cluster().on(node, 'ps', '-eo', 'args'), node).not.toMatch(/simwright\.mjs|app\.mjs/);
    }
    const status = await call(workspace, 'status', 'out', '--json');
    expect(JSON.parse(status.stdout)).toMatchObject({ entities: [{ name: 'sweep', running: 0 }, {}, {}] });
    expect((await call(workspace, ...compile)).exitCode).toBe(0);
    const again = await call(workspace, 'cancel', 'out');
    expect(again).toMatchObject({ exitCode: 0, stdout: '', stderr: 'nothing to cancel: no job waits or runs\n' });
  }, 360_000);
});
