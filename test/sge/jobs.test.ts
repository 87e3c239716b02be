import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, type TestContext, test } from 'vitest';
import { readSge } from '../../src/rehearse/schedulers/sge/options.js';
import { fixtures } from '../compiler/support/compile-fixture.js';
import { root, simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { waitUntil } from '../runtime/support/wait-until.js';
import { useCluster, whyNoSge } from './cluster.js';

const why = whyNoSge();

/** The cluster as a site. Its jobs run as root, which Open MPI wants to be told. */
const site = {
  name: 'cell',
  target: 'sge',
  parallelEnvironments: { oneNode: 'smp', perNode: 'mpi-{slots}', slots: [2, 4] },
  resources: { gpus: { name: 'gpu', per: 'node' } },
  preamble: ['export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1'],
};

/** Waits for one of its like, says how many run, and ends after a moment. */
const counted = [
  'one=$HOSTNAME.$$; cd ../..; touch alive.$one; touch begun.$one',
  'until [ "$(ls | grep -c ^begun)" -ge 2 ]; do sleep 0.1; done',
  'ls | grep -c ^alive >>seen; sleep 1; rm alive.$one',
].join('; ');
/** Works until it is told to end, and says so. */
const endless = 'trap "echo told; exit 3" TERM; echo up; while :; do sleep 0.1; done';

describe.skipIf(why !== '')(`jobs of a real Grid Engine${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  const cluster = useCluster();

  /** A workspace that the nodes see, with a workflow compiled into `out`. */
  async function compiled(context: TestContext, chain: string): Promise<Workspace> {
    const workspace = new Workspace('/var/tmp', context);
    workspace.write('site.json', JSON.stringify(site));
    workspace.workflow(chain);
    const end = await simwright(workspace, 'compile', 'workflow.ts', '--site', 'site.json', '--out', 'out');
    expect(end).toMatchObject({ exitCode: 0 });
    return workspace;
  }

  async function submitted(workspace: Workspace): Promise<Readonly<Record<string, string>>> {
    const end = await cluster().simwright(workspace.cwd, 'submit', 'out');
    expect(end, end.stderr).toMatchObject({ exitCode: 0, stderr: '' });
    const rows = end.stdout.trim().split('\n');
    return Object.fromEntries(rows.map((row) => row.split('\t')));
  }

  interface Standing {
    readonly name: string;
    readonly state: string;
    readonly exit?: number;
    readonly reason?: string;
    readonly elements?: Readonly<Record<string, number>>;
  }

  /** Jobs as `status` has them, by name. */
  async function standings(workspace: Workspace): Promise<Readonly<Record<string, Standing>>> {
    const { stdout } = await cluster().simwright(workspace.cwd, 'status', 'out', '--json');
    const { jobs } = JSON.parse(stdout) as { readonly jobs: readonly Standing[] };
    return Object.fromEntries(jobs.map((job) => [job.name, job]));
  }

  async function ended(workspace: Workspace): Promise<Readonly<Record<string, Standing>>> {
    let last: Readonly<Record<string, Standing>> = {};
    await waitUntil('all jobs have ended', async () => {
      last = await standings(workspace);
      return (
        Object.values(last).every(({ state }) => state !== 'PENDING' && state !== 'RUNNING') || JSON.stringify(last)
      );
    });
    return last;
  }

  const logOf = (workspace: Workspace, start: string) => {
    const file = workspace.files('out/logs').find((name) => name.startsWith(start)) ?? '';
    return workspace.lines('out/logs', file).join('\n');
  };

  test.concurrent('site check asks for the verdict on each queue', async (context) => {
    const workspace = new Workspace('/var/tmp', context);
    const queues = { 'all.q': { default: true, maxNodes: 2 }, 'gone.q': {} };
    workspace.write('site.json', JSON.stringify({ ...site, queues }));
    const end = await cluster().simwright(workspace.cwd, 'site', 'check', 'site.json', '--json');
    expect(end.exitCode, end.stdout + end.stderr).toBe(3);
    const { verdicts, problems } = JSON.parse(end.stdout);
    expect(verdicts).toEqual([
      { queue: 'all.q', accepted: true, says: expect.stringContaining('verification: found suitable queue(s)') },
      { queue: 'gone.q', accepted: false, says: expect.stringContaining('gone.q') },
    ]);
    expect(problems).toEqual([
      expect.objectContaining({ message: "queues.gone.q: sge has no queue 'gone.q'; it has all.q" }),
    ]);
  });

  test.concurrent('an array of which two run at a time, jobs after others by how they ended, and exit code 99', async (context) => {
    const workspace = await compiled(
      context,
      `experiment('e')
  .ensemble('sweep', command('bash', '-c', ${JSON.stringify(counted)}, '{args}').launcher('none')).params({ X: [0, 1, 2, 3] }, { asArgs: ['X'] })
    .batch({ mode: 'array', maxConcurrent: 2, walltime: '00:05:00' })
  .model('bad', command('bash', '-c', 'exit 99').launcher('none')).batch({ walltime: '00:05:00' })
  .model('last', command('/bin/true')).after('sweep').batch({ walltime: '00:05:00' })
  .model('never', command('/bin/true')).after('bad').batch({ walltime: '00:05:00' })
  .model('rescue', command('/bin/true')).after('bad', 'failed').batch({ walltime: '00:05:00' })`,
    );
    expect(await cluster().simwright(workspace.cwd, 'submit', 'out', '--test-only')).toMatchObject({ exitCode: 0 });
    const ids = await submitted(workspace);
    expect((await standings(workspace))['last']).toMatchObject({ state: 'PENDING', reason: `after ${ids['sweep']}` });
    expect(await ended(workspace)).toMatchObject({
      sweep: { state: 'COMPLETED', exit: 0, elements: { COMPLETED: 4 } },
      bad: { state: 'FAILED', exit: 1 },
      last: { state: 'COMPLETED', exit: 0 },
      never: { state: 'FAILED', exit: 1 },
      rescue: { state: 'COMPLETED', exit: 0 },
    });
    expect(Math.max(...workspace.lines('out/run/seen').map(Number))).toBe(2);
    expect(workspace.members('out').sort()).toEqual([0, 1, 2, 3].map((index) => `sweep_${index} completed 0`));
    // One run: the job was not started again.
    expect(logOf(workspace, 'bad-').split('\n')).toEqual([
      'bad: 1 failed',
      expect.stringContaining('an application has ended with exit code 99'),
    ]);
    expect(
      workspace
        .files('out/logs')
        .filter((name) => name.startsWith('sweep'))
        .sort(),
    ).toEqual([1, 2, 3, 4].map((task) => `sweep-${ids['sweep']}_${task}.out`));
  });

  test.concurrent('cancel, the end of the walltime, qdel, a suspension, and a store on each of two nodes', async (context) => {
    const workspace = await compiled(
      context,
      `experiment('e')
  .model('sim', command('bash', '-c', 'echo $SSDB; hostname').tasks(2).nodes(2)).colocate({ tcp: true }).batch({ walltime: '00:05:00' })
  .model('long', command('bash', '-c', ${JSON.stringify(endless)}).launcher('none')).batch({ walltime: '00:05:00' })
  .model('short', command('bash', '-c', ${JSON.stringify(endless)}).launcher('none')).batch({ walltime: '00:00:12' })
  .model('gone', command('bash', '-c', ${JSON.stringify(endless)}).launcher('none')).batch({ walltime: '00:05:00' })
  .model('behind', command('/bin/true')).after('long').batch({ walltime: '00:05:00' })`,
    );
    const ids = await submitted(workspace);
    for (const name of ['long', 'gone']) {
      await waitUntil(`${name} is up`, () => workspace.lines('out/run', name, `${name}.out`).includes('up'));
    }
    // SIGUSR1 comes before SIGSTOP, and is not for the application.
    await cluster().ask('qmod', '-sj', ids['long'] ?? '');
    await waitUntil('it is suspended', async () => (await standings(workspace))['long']?.reason === 'suspended');
    await cluster().ask('qmod', '-usj', ids['long'] ?? '');
    await cluster().ask('qdel', ids['gone'] ?? '');
    await waitUntil('gone has ended', async () => (await standings(workspace))['gone']?.state === 'CANCELLED');
    expect((await standings(workspace))['long']).toMatchObject({ state: 'RUNNING' });
    const cancel = await cluster().simwright(workspace.cwd, 'cancel', 'out', '--job', 'long', '--job', 'behind');
    expect(
      cancel.stdout
        .trim()
        .split('\n')
        .map((row) => row.split('\t').slice(0, 3)),
    ).toEqual([
      ['long', ids['long'], 'CANCELLED'],
      ['behind', ids['behind'], 'CANCELLED'],
    ]);
    expect(await ended(workspace)).toMatchObject({
      sim: { state: 'COMPLETED', exit: 0 },
      short: { state: 'TIMEOUT', exit: 124 },
    });
    for (const name of ['long', 'gone', 'short']) {
      expect(workspace.lines('out/run', name, `${name}.out`)).toEqual(['up', 'told']);
    }
    expect(logOf(workspace, 'short-')).toContain('the walltime is about to be over');
    const said = workspace.lines('out/run/sim/sim.out');
    expect(said.filter((line) => line.startsWith('node')).sort()).toEqual(['node1', 'node2']);
    expect(said.filter((line) => /^127\.0\.0\.1:\d+$/.test(line))).toHaveLength(2);
  });

  test.concurrent('doctor finds it, and qsub reads every script of the fixtures as our reader does', async () => {
    const doctor = await cluster().simwright('/var/tmp', 'doctor');
    expect(doctor.stdout).toMatch(/sge 8\S*, job arrays of 75000/);
    expect(doctor.stdout).toContain('all.q: 2 nodes of 4 cores');
    expect(doctor.stdout).toContain('smp ($pe_slots)');
    const paths = fixtures.flatMap(({ folder }) =>
      readdirSync(folder, { recursive: true })
        .map((path) => join(folder, String(path)))
        .filter((path) => path.includes('expected/sge/jobs/')),
    );
    const loop = 'for file; do echo "== $file"; qsub -verify "$file" 2>&1; done';
    const { stdout } = await cluster().run(root, 'bash', '-c', loop, 'bash', ...paths);
    const read = new Map(
      stdout
        .split(/^== /m)
        .slice(1)
        .map((text) => [text.split('\n')[0] ?? '', text]),
    );
    for (const path of paths) {
      const said = (name: string) => new RegExp(`^${name}: +(.*)$`, 'm').exec(read.get(path) ?? '')?.[1];
      const options = readSge(readFileSync(path, 'utf8')).options;
      expect(said('job_name'), read.get(path)).toBe(options['-N']);
      expect(said('stdout_path_list')).toBe(`NONE:NONE:${options['-o']}`);
      expect(said('parallel environment')?.replace(' range:', '')).toBe(options['-pe']);
      expect(said('hard resource_list')).toBe(options['-l']);
      expect(said('project')).toBe(options['-P']);
      expect(said('job-array tasks')?.replace(/:1$/, '')).toBe(options['-t']);
    }
  });
});
