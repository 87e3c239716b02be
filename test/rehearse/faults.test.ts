import { copyFileSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { command, experiment } from '../../src/index.js';
import { assertFaults, parseFault } from '../../src/rehearse/faults.js';
import { simwright } from '../helpers/simwright.js';
import { builtModule, hasCompiler, servers } from '../runtime/engine/support/servers.js';
import { compiled, rehearsed, states } from './support.js';

vi.setConfig({ testTimeout: 180_000, maxConcurrency: 2 });

const whyNoServer = servers.length === 0 ? 'no server' : hasCompiler ? '' : 'no C compiler';

test.skipIf(whyNoServer !== '')(
  `the server of a shard dies, and its replica takes over${whyNoServer === '' ? '' : ` (skipped: ${whyNoServer})`}`,
  async (context) => {
    // It ends when the other server has taken over.
    const waits = 'until grep -q "has taken over" ../stores/orchestrator/*.log; do sleep 0.2; done';
    const folder = compiled(
      context,
      experiment('flow')
        .batch({ nodes: 3, walltime: '00:02:00' })
        .orchestrator({ engine: 'redis', shards: 3, replicas: 1 })
        .model('user', command('bash', '-c', waits)),
    );
    mkdirSync(join(folder.dir, 'runtime/engine'));
    const module_ = await builtModule();
    copyFileSync(module_, join(folder.dir, 'runtime/engine', basename(module_)));
    const record = await rehearsed(folder, { faults: [parseFault('store/2@1')] });
    expect(record.said).toContain('fault store/2@1s');
    expect(states(record), record.said.join('\n')).toEqual(['flow completed 0']);
    expect(folder.read('rehearsal/run/stores/orchestrator/launch.log')).toMatch(
      /^shard 2 of 3 \(.*\): the server died \(SIGKILL\); its replica takes over$/m,
    );
  },
);

test.concurrent('a job that outlives nodes goes on when it loses one; what runs there fails', async (context) => {
  const flow = experiment('flow')
    .batch({ nodes: 2, walltime: '00:02:00' })
    .model('here', command('bash', '-c', 'until [ -e ../lost ]; do sleep 0.1; done').cpusPerTask(4))
    .model('there', command('bash', '-c', 'sleep 1000').cpusPerTask(4))
    .after('here', 'started')
    .model('after', command('touch', '../lost').launcher('none'))
    .after('there', 'ended');
  const folder = compiled(context, flow, { name: 'hpc', target: 'slurm', node: { cores: 4 } });
  folder.change('jobs/flow.sbatch', '#SBATCH --nodes', '#SBATCH --no-kill\n#SBATCH --nodes');
  const record = await rehearsed(folder, { faults: [parseFault('node:2@4s')] });
  expect(record.said).toContain('job flow goes on without node2');
  expect(states(record)).toEqual(['flow failed 137']);
  const nodes = record.steps.map(({ name, nodes: on, exitCode }) => `${name} ${on[0]?.name} ${exitCode}`).sort();
  expect(nodes).toEqual(['here node1 0', 'there node2 137']);
});

test.concurrent('a job that has lost a node starts anew where others are left', async (context) => {
  const flow = experiment('flow')
    .batch({ nodes: 2, walltime: '00:02:00' })
    .model('solver', command('bash', '-c', '[ "$SLURM_RESTART_COUNT" = 1 ] || sleep 1000').nodes(2).tasks(2));
  const folder = compiled(context, flow);
  const end = await simwright({ cwd: folder.dir }, 'rehearse', '.', '--nodes', '3', '--fail', 'node:2@4', '--json');
  expect(end.exitCode, end.stderr).toBe(0);
  const { runs } = JSON.parse(end.stdout);
  expect(runs).toMatchObject([
    { state: 'node_fail', requeued: true, nodes: [{ name: 'node1' }, { name: 'node2' }] },
    { state: 'completed', nodes: [{ name: 'node1' }, { name: 'node3' }] },
  ]);
});

test.concurrent('under LSF a lost node ends a job as a kill does, and not as its run limit', async (context) => {
  const flow = experiment('flow')
    .batch({ nodes: 2, walltime: '00:02:00' })
    .ensemble('sweep', command('sleep', '1000'))
    .replicas(2);
  const folder = compiled(context, flow, 'lsf');
  const record = await rehearsed(folder, { faults: [parseFault('node:2@4s')] });
  expect(states(record)).toEqual(['flow node_fail 143']);
  expect(folder.read('rehearsal/run/members.csv')).toMatch(/sweep_0,interrupted,.*\n.*sweep_1,interrupted,/);
  const { stdout } = await simwright({ cwd: folder.dir }, 'status', 'rehearsal');
  expect(stdout).not.toContain('walltime');
});

test('faults of what is not there are refused', (context) => {
  const plan = JSON.parse(
    compiled(context, experiment('flow').orchestrator().model('solver', command('true'))).read('plan.json'),
  );
  const problemOf = (text: string) => {
    try {
      assertFaults([parseFault(text)], plan);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(problemOf('app:solvr')).toBe('--fail app:solvr: the workflow has no such application: it has solver');
  expect(problemOf('store:other@3')).toBe('--fail store:other: the workflow has no such store: it has orchestrator');
  expect(problemOf('store/2')).toBe('--fail store/2: store orchestrator has 1 shard');
  expect(problemOf('store/0')).toBe('--fail store/0 names no fault');
  expect(problemOf('node/2')).toBe('--fail node/2 names no fault');
  expect(['store/1@3', 'store:orchestrator/1', 'app:solver', 'store', 'node:9'].map(problemOf).join('')).toBe('');
});
