import { describe, expect, test } from 'vitest';
import { simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { useCluster, whyNoSlurm } from './cluster.js';

const why = whyNoSlurm();

/** The nodes of the cluster: four cores of two threads each, which Slurm counts. */
const node = { cores: 4, threadsPerCore: 2, schedulerCounts: 'threads' };

describe.skipIf(why !== '')(`sites of a real Slurm${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  const cluster = useCluster('--nodes', '2', '--cpus', '8', '--threads', '2');

  function withSite(site: object): Workspace {
    const workspace = new Workspace('/var/tmp');
    workspace.write('site.json', JSON.stringify({ name: 'ours', target: 'slurm', node, ...site }));
    return workspace;
  }

  test('site check asks for the verdict on each queue, and names what the cluster does not have', async () => {
    await cluster().ask(
      'scontrol',
      'create',
      'PartitionName=short',
      'Nodes=ALL',
      'MaxTime=5',
      'MaxNodes=1',
      'State=UP',
    );
    const queues = { debug: { default: true }, short: { maxWalltime: '00:06:00' }, gone: {} };
    const workspace = withSite({ queues });
    const place = { cwd: workspace.cwd, env: cluster().env };
    const end = await simwright(place, 'site', 'check', 'site.json', '--json');
    expect(end.exitCode, end.stdout + end.stderr).toBe(3);
    const document = JSON.parse(end.stdout);
    expect(document.ok).toBe(false);
    expect(document.verdicts).toEqual([
      { queue: 'debug', accepted: true, says: expect.stringMatching(/^sbatch: Job \d+ to start at .* on nodes node1/) },
      { queue: 'short', accepted: true, says: expect.stringContaining('in partition short') },
      { queue: 'gone', accepted: false, says: expect.stringMatching(/invalid partition/i) },
    ]);
    expect(document.problems.map(({ message }: { message: string }) => message)).toEqual([
      // sbatch says nothing of it, and the job would wait for ever.
      'queues.short: jobs of 00:06:00, and the scheduler says 00:05:00',
      expect.stringMatching(/^queues\.gone: slurm has no queue 'gone'; it has (debug, short|short, debug)$/),
    ]);
    const shown = await simwright(
      { cwd: place.cwd, env: { ...place.env, NO_COLOR: '1' } },
      'site',
      'check',
      'site.json',
    );
    expect(shown.stderr).toContain("error[JOB1001]: a small job in queue 'gone' would be refused\n");
    expect(shown.stdout).toMatch(/^a small job in queue 'debug': sbatch: Job \d+ to start/m);
    expect(await cluster().ask('squeue', '--noheader')).toBe('');

    const fine = withSite({ queues: { debug: {}, short: { maxNodes: 2, node: { cores: 5 } } } });
    const checked = await simwright({ cwd: fine.cwd, env: cluster().env }, 'site', 'check', 'site.json', '--json');
    expect(checked.exitCode, checked.stdout).toBe(0);
    expect(
      JSON.parse(checked.stdout).problems.map(({ code, message }: Record<string, string>) => `${code} ${message}`),
    ).toEqual([
      'SITE1010 queues.short: 5 cores a node, and the scheduler says 4',
      'SITE1010 queues.short: 2 nodes a job, and the scheduler says 1',
    ]);
  }, 240_000);

  test('doctor sees that Slurm counts threads', async () => {
    const { stdout } = await simwright({ cwd: '/var/tmp', env: cluster().env }, 'doctor', '--json');
    const { facts } = JSON.parse(stdout);
    expect(facts.scheduler.queues[0].shapes).toMatchObject([{ nodes: 2, cores: 4, threadsPerCore: 2 }]);
  });

  test('a site of threads gives tasks whole cores; its variables, options and wrapper reach them', async () => {
    const workspace = withSite({
      env: { OF_SITE: 'a b;$c' },
      launcherArgs: { srun: { comment: 'from the site', label: true } },
      wrapper: { words: ['env', 'WRAPPED=yes'], when: 'always' },
      queues: { debug: { default: true, maxWalltime: '00:10:00' } },
    });
    const told =
      'echo "$SLURM_CPUS_PER_TASK $OMP_NUM_THREADS $OF_SITE $WRAPPED" >told; echo up; touch ../../../here.$SLURM_STEP_ID';
    // Two of two cores fit beside each other on four: each waits until the other is there.
    const meets = 'until [ "$(ls ../../.. | grep -c ^here)" -ge 2 ]; do sleep 0.1; done';
    workspace.workflow(`experiment('e')
  .batch({ walltime: '00:05:00' })
  .ensemble('sweep', command('bash', '-c', ${JSON.stringify(`${told}; ${meets}`)}).cpusPerTask(2)).replicas(2)`);
    const compiled = ['compile', 'workflow.ts', '--site', 'site.json', '--out', 'out'];
    expect(await simwright(workspace, ...compiled)).toMatchObject({ exitCode: 0, stderr: '' });
    const { e: id = '' } = await cluster().submit(workspace.path('out'));
    expect(await cluster().ended(id), workspace.read(`out/logs/e-${id}.out`)).toMatchObject([
      { state: 'COMPLETED', exitCode: '0:0', nodes: 'node1' },
    ]);
    // Four cores, which are eight CPUs of Slurm's.
    expect(await cluster().ask('sacct', '-nPX', '-o', 'alloccpus', '-j', id)).toBe('8');
    for (const member of ['sweep_0', 'sweep_1']) {
      expect(workspace.lines('out/run/sweep', member, 'told')).toEqual(['4 2 a b;$c yes']);
      expect(workspace.read('out/run/sweep', member, `${member}.out`)).toBe('0: up\n');
    }
    const steps = await cluster().ask('sacct', '-nP', '-o', 'jobname,alloccpus', '-j', id);
    expect(
      steps
        .split('\n')
        .filter((line) => line.startsWith('sweep'))
        .sort(),
    ).toEqual(['sweep_0|4', 'sweep_1|4']);
  }, 480_000);
});
