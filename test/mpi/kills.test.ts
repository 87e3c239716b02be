import { describe, expect, type TestContext, test } from 'vitest';
import { cluster, kill, MpiJob, mpis, nodes, processes, useMachines, whyNoMpi } from './cluster.js';
import { stay } from './programs.js';

const why = whyNoMpi();

describe.skipIf(why !== '')(`ends of stores on several nodes${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  useMachines();

  describe.each(mpis)('by $name', (mpi) => {
    /** A running job with a store on each node, which its application uses. */
    async function running(context: TestContext) {
      const job = await MpiJob.compile(
        context,
        mpi,
        `experiment('stays')
  .model('sim', command('node', 'stay.mjs').tasks(3).tasksPerNode(1)).attach({ copy: 'stay.mjs' }).colocate({ uds: true })`,
        { 'stay.mjs': stay },
      );
      const script = job.start('stays');
      await job.untilReady('sim/sim.out', nodes.length, script);
      return { job, script };
    }
    const place = (job: MpiJob) => `/tmp/simwright-0-${job.id}`;

    test('SIGKILL to the store on the second node', async (context) => {
      const { job, script } = await running(context);
      const found = await processes('node2', /simwright\.mjs store sim/);
      expect(found).toHaveLength(1);
      // The secret of the link stands in no command line.
      expect(found[0]?.line).not.toMatch(/[0-9a-f]{64}/);
      const { stdout } = await cluster('on', 'node2', '--', 'ls', '-A', place(job));
      expect(stdout).toBe('sim.sock');
      await kill('node2', /simwright\.mjs store sim/);
      const { exitCode, all } = await script;
      expect(exitCode).toBeGreaterThan(0);
      expect(all).toContain(`error[RUN1005]: store 'sim' died on node2 (its process has gone`);
      const [status = ''] = job.workspace.files('out/run/status').filter((name) => name.endsWith('.jsonl'));
      expect(job.output('status', status)).toContain(`"reason":"store 'sim' died on node2 (its process has gone`);
      await job.expectNothingLeft();
    });

    test('SIGKILL to the launcher of the store', async (context) => {
      const { job, script } = await running(context);
      await kill('node1', new RegExp(`^${mpi.calledAs} .* store sim`));
      const { exitCode, all } = await script;
      expect(exitCode).toBeGreaterThan(0);
      expect(all).toContain("error[RUN1005]: store 'sim' died");
      await job.expectNothingLeft();
    });

    test.for([
      ['script', /jobs\/stays\.pbs$/],
      ['supervisor', /simwright\.mjs supervise$/],
    ] as const)('SIGKILL to the %s', async ([, pattern], context) => {
      const { job, script } = await running(context);
      await kill('node1', pattern);
      expect((await script).exitCode).not.toBe(0);
      await job.expectNothingLeft();
    });

    test('SIGTERM to the script', async (context) => {
      const { job, script } = await running(context);
      await kill('node1', /jobs\/stays\.pbs$/, 'TERM');
      expect((await script).exitCode).toBe(143);
      await job.expectNothingLeft();
    });
  });

  const [openMpi] = mpis as [(typeof mpis)[number]];
  test('a node that is cut off ends its store, and is named', async (context) => {
    const job = await MpiJob.compile(
      context,
      openMpi,
      `experiment('stays').model('sim', command('node', 'stay.mjs').tasks(3).tasksPerNode(1)).attach({ copy: 'stay.mjs' }).colocate({ uds: true })`,
      { 'stay.mjs': stay },
    );
    const script = job.start('stays', { SIMWRIGHT_LINK_TIMEOUT: '2' });
    await job.untilReady('sim/sim.out', nodes.length, script);
    await cluster('cut', 'node3');
    const { exitCode, all } = await script;
    expect(exitCode).toBeGreaterThan(0);
    expect(all).toContain("error[RUN1005]: store 'sim' died on node3 (it gave no sign of life any more");
    await job.expectNothingLeft(['node1', 'node2']);
    // There nobody else could tell it.
    await job.expectGone('node3', /simwright\.mjs store sim/);
  });
});
