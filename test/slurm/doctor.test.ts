import { describe, expect, test } from 'vitest';
import { simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { useCluster, whyNoSlurm } from './cluster.js';

const why = whyNoSlurm();

describe.skipIf(why !== '')(`simwright doctor on a real Slurm${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  const cluster = useCluster();

  test('finds the cluster, and drafts a site that a job runs by', async () => {
    const workspace = new Workspace('/var/tmp');
    const place = { cwd: workspace.cwd, env: cluster().env };
    const end = await simwright(place, 'doctor', '--write-site', 'site.ts', '--json');
    expect(end.exitCode, end.stdout).toBe(0);
    const { findings, facts, site } = JSON.parse(end.stdout);
    const nodes = [{ nodes: 4, cores: 4, gpus: 0, memoryMiB: 4000 }];
    expect(facts.scheduler).toMatchObject({
      name: 'slurm',
      answers: true,
      hasAccounting: true,
      queues: [{ name: 'debug', isDefault: true, shapes: nodes }],
    });
    expect(findings).toContainEqual({
      topic: 'Accounting',
      verdict: 'ok',
      message: 'sacct knows jobs that have ended',
    });
    expect(site).toMatchObject({
      target: 'slurm',
      defaults: { queue: 'debug' },
      node: { cores: 4, memoryMiB: 4000 },
      maxNodes: 4,
      maxArraySize: facts.scheduler.maxArraySize,
    });
    expect((await simwright(workspace, 'site', 'check', 'site.ts')).exitCode).toBe(0);

    workspace.workflow(`experiment('e')
  .batch({ walltime: '00:05:00' })
  .ensemble('sweep', command('echo', '{args}').tasks(2))
    .params({ LEVEL: [0, 1, 2] }, { asArgs: ['LEVEL'] })`);
    const compiled = ['compile', 'workflow.ts', '--site', 'site.ts', '--out', 'out'];
    expect(await simwright(workspace, ...compiled)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(workspace.read('out/jobs/e.sbatch')).toContain('#SBATCH --partition=debug\n');
    const { e: id = '' } = await cluster().submit(workspace.path('out'));
    expect(await cluster().ended(id)).toMatchObject([{ state: 'COMPLETED', exitCode: '0:0' }]);
    expect(workspace.members('out')).toEqual(['sweep_0 completed 0', 'sweep_1 completed 0', 'sweep_2 completed 0']);
  }, 540_000);

  test('a job that gets fewer nodes and CPUs than its plan needs fails in seconds, and says all of it', async () => {
    const workspace = new Workspace('/var/tmp');
    workspace.workflow(`experiment('e')
  .batch({ nodes: 3, walltime: '00:05:00' })
  .orchestrator()
  .model('solver', command('hostname').tasks(6).nodes(3))`);
    const compiled = ['compile', 'workflow.ts', '--site', 'slurm', '--out', 'out'];
    expect((await simwright(workspace, ...compiled)).exitCode).toBe(0);
    // As somebody does who knows better than the script.
    const submit = ['sbatch', '--parsable', '--nodes=2', '--ntasks-per-node=1', 'jobs/e.sbatch'];
    const id = await cluster().ask('env', `--chdir=${workspace.path('out')}`, ...submit);
    expect(await cluster().ended(id)).toMatchObject([{ state: 'FAILED', exitCode: '1:0' }]);
    const log = workspace.read('out/logs', `e-${id}.out`);
    expect(log.split('\n').filter((line) => line.startsWith('error['))).toEqual([
      "error[RUN1020]: job 'e' has 2 nodes, and its plan needs 3",
      "error[RUN1020]: job 'e' has 1 CPU a node, and its plan needs 3",
    ]);
    expect(workspace.has('out/run/solver')).toBe(false);
  }, 360_000);
});
