import { describe, expect, type TestContext, test } from 'vitest';
import { Workspace } from '../helpers/workspace.js';
import { waitUntil } from '../runtime/support/wait-until.js';
import { useCluster, whyNoSlurm } from './cluster.js';
import { compileForSlurm, log, nothingLeft } from './workspaces.js';

const why = whyNoSlurm();

/** Says every so often that it works, until a file `go` lies beside the workflow; takes up its count when it is started again. */
const counting = (workspace: Workspace) => `#!/bin/bash
n=$(cat count 2>/dev/null || echo 0)
echo "from $n"
until [ -e ${workspace.path('go')} ]; do
  sleep 0.2
  n=$((n + 1))
  echo $n >count.new && mv count.new count
done
`;

/** Variables that differ from job to job and say nothing about how steps are started. */
const ofEachJob =
  /^(SLURM_(JOB_?ID|JOB_(NODELIST|GPUS)|NODELIST|STEP_(NODELIST|LAUNCHER_PORT)|STEP_?ID|SRUN_COMM_\w+|TASK_PID|TOPOLOGY_ADDR|SUBMIT_HOST|LAUNCH_NODE_IPADDR|WORKING_CLUSTER|GET_USER_ENV)|SLURMD_NODENAME)=/;

describe.skipIf(why !== '')(`what a real Slurm knows better${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  const cluster = useCluster();

  async function compiled(context: TestContext, chain: (workspace: Workspace) => string): Promise<Workspace> {
    const workspace = new Workspace('/var/tmp', context);
    workspace.write('app.sh', counting(workspace), 0o755);
    workspace.workflow(chain(workspace));
    await compileForSlurm(workspace);
    return workspace;
  }

  const count = (workspace: Workspace, directory: string) =>
    Number(workspace.lines('out/run', directory, 'count')[0] ?? 0);
  /** Waits until an application has counted on by some. */
  const goesOn = (workspace: Workspace, directory: string, by = 3) => {
    const from = count(workspace, directory);
    return waitUntil(
      `${directory} counts`,
      () => count(workspace, directory) >= from + by || count(workspace, directory),
      90,
    );
  };
  const ask = ([program = '', ...words]: readonly string[]) => cluster().ask(program, ...words);
  const runsIn = (workspace: Workspace, words: readonly string[]) =>
    ask(['env', `--chdir=${workspace.path('out')}`, ...words]);

  describe.concurrent('beside each other', () => {
    test('the time that counts is its own: given to sbatch, changed while the job runs, and lengthened by a suspension', async (context) => {
      const chain = (walltime: string) => `experiment('e')
  .batch({ walltime: '${walltime}' })
  .model('m', command('./app.sh')).attach({ copy: 'app.sh' })`;
      const short = await compiled(context, () => chain('00:10:00'));
      const long = await compiled(context, () => chain('00:01:00'));
      const suspended = await compiled(context, () => chain('00:01:00'));
      const { e: longId = '' } = await cluster().submit(long.path('out'));
      const { e: suspendedId = '' } = await cluster().submit(suspended.path('out'));
      const shortId = await runsIn(short, ['sbatch', '--parsable', '--time=1', 'jobs/e.sbatch']);
      await Promise.all([short, long, suspended].map((workspace) => goesOn(workspace, 'm')));
      await cluster().ask('scontrol', 'suspend', suspendedId);
      await cluster().ask('scontrol', 'update', `jobid=${longId}`, 'TimeLimit=5');

      // A minute less the grace, not ten.
      expect(await cluster().ended(shortId)).toMatchObject([{ state: 'FAILED', exitCode: '124:0' }]);
      expect(log(short, `e-${shortId}.out`)).toContain('m: 1 interrupted; the walltime is about to be over');
      // By now the others would have been ended as well.
      await waitUntil(
        'a minute is over',
        async () => Number((await elapsed(longId)).split(':')[1]) < 50 || elapsed(longId),
        90,
      );
      await goesOn(long, 'm');
      await cluster().ask('scontrol', 'resume', suspendedId);
      await goesOn(suspended, 'm', 15);
      for (const workspace of [long, suspended]) workspace.write('go', '');
      for (const id of [longId, suspendedId]) {
        expect(await cluster().ended(id)).toMatchObject([{ state: 'COMPLETED', exitCode: '0:0' }]);
      }
    }, 900_000);

    /** How long a job has run: `1:05`. */
    const elapsed = async (id: string) => (await cluster().ask('squeue', '-h', '-o', '%M', '-j', id)).trim();

    test('from inside another job, and without the environment, a job is the same', async (context) => {
      const workspace = await compiled(
        context,
        () => `experiment('e')
  .batch({ walltime: '00:05:00' })
  .model('m', command('bash', '-c', 'env >environment').env({ TEXT: 'a b;$c' }))`,
      );
      const ids = () => workspace.lines('out/run/jobs.tsv').map((row) => row.split('\t')[1] ?? '');
      /** Environment of the application in the latest job, as far as Slurm reads it. */
      const environment = async (id = ids().at(-1) ?? '') => {
        expect(await cluster().ended(id), log(workspace, `e-${id}.out`)).toMatchObject([{ state: 'COMPLETED' }]);
        const lines = workspace.lines('out/run/m/environment');
        expect(lines).toContain('TEXT=a b;$c');
        expect(lines).toContain(`SLURM_JOB_ID=${id}`);
        return lines.filter((line) => /^(SLURM|SRUN|PMI|OMPI)/.test(line) && !ofEachJob.test(line)).sort();
      };
      const submit = workspace.path('out/submit.sh');
      await cluster().submit(workspace.path('out'));
      const plain = await environment();
      expect(plain.length).toBeGreaterThan(20);

      const step = ['srun', '-n1', '-c2', '--mem=100', '-t', '2', '--distribution=cyclic', '--hint=nomultithread'];
      await ask([...step, submit, '--fresh']);
      expect(await environment()).toEqual(plain);
      const allocation = ['salloc', '-Q', '-N1', '--mem-per-cpu=100', '--cpus-per-task=2', '-t', '2'];
      await ask([...allocation, submit, '--fresh']);
      expect(await environment()).toEqual(plain);
      await ask(['env', 'SBATCH_EXPORT=NONE', submit, '--fresh']);
      expect(await environment()).toEqual(plain);
      // By hand, where nothing has been forgotten before.
      const hand = `cd ${workspace.path('out')} && SIMWRIGHT_FRESH=1 SLURM_CPU_BIND=quiet,mask_cpu:0x1 sbatch --parsable jobs/e.sbatch`;
      expect(await environment(await ask([...step, 'bash', '-c', hand]))).toEqual(plain);
    }, 900_000);

    test('a job that is cancelled in the queue is not waited for, by launches or by a store', async (context) => {
      const workspace = await compiled(
        context,
        () => `experiment('e')
  .orchestrator().batch({ walltime: '00:05:00' })
  .model('sim', command('true')).batch({ walltime: '00:05:00', directives: { set: { '--hold': '' } } })
  .model('watch', command('true')).after('sim', 'started').batch({ walltime: '00:05:00' })
  .model('report', command('true')).after('sim', 'ended').batch({ walltime: '00:05:00' })`,
      );
      const {
        orchestrator: store = '',
        sim = '',
        watch = '',
        report = '',
      } = await cluster().submit(workspace.path('out'));
      await waitUntil('the store runs', () => workspace.has('out/run/stores/orchestrator/address.json'), 60);
      await cluster().ask('scancel', sim);
      expect(await cluster().ended(watch)).toMatchObject([{ state: 'FAILED', exitCode: '1:0' }]);
      expect(log(workspace, `watch-${watch}.out`)).toContain(
        `it waits for 'sim' to have started, but job 'sim' (${sim}) has ended (CANCELLED`,
      );
      expect(await cluster().ended(report)).toMatchObject([{ state: 'COMPLETED' }]);
      expect(await cluster().ended(store)).toMatchObject([{ state: 'COMPLETED' }]);
      expect(log(workspace, `orchestrator-${store}.out`)).toContain('all that use it have ended');
    }, 900_000);
  });

  test('a node that is gone: requeued under their ids, a job with a store and an array take up their members', async (context) => {
    const others = 'node[2-4]';
    await cluster().ask('scontrol', 'update', `nodename=${others}`, 'state=drain', 'reason=test');
    const requeue = `directives: { set: { '--requeue': '' } }`;
    const packed = await compiled(
      context,
      () => `experiment('e')
  .batch({ walltime: '00:05:00', ${requeue} })
  .orchestrator()
  .model('solver', command('./app.sh')).attach({ copy: 'app.sh' })
  .model('after', command('hostname')).after('solver')`,
    );
    const array = await compiled(
      context,
      () => `experiment('a')
  .ensemble('sweep', command('./app.sh', '{args}')).params({ A: [1, 2] }, { asArgs: ['A'] }).attach({ copy: 'app.sh' })
  .batch({ walltime: '00:05:00', mode: 'array', ${requeue} })`,
    );
    const { e: id = '' } = await cluster().submit(packed.path('out'));
    const { sweep = '' } = await cluster().submit(array.path('out'));
    const members = ['sweep_0', 'sweep_1'];
    await goesOn(packed, 'solver');
    for (const member of members) await goesOn(array, `sweep/${member}`);
    await cluster().ask('scontrol', 'update', `nodename=${others}`, 'state=resume');
    const daemon = (await cluster().on('node1', 'pgrep', '-x', 'slurmd')).trim();
    await cluster()
      .on('node1', 'kill', '-KILL', daemon)
      .catch(() => undefined);
    await cluster().ask('scontrol', 'update', 'nodename=node1', 'state=down', 'reason=crash');
    for (const one of [id, `${sweep}_0`, `${sweep}_1`]) {
      await waitUntil(
        `${one} waits`,
        async () => /^PENDING/.test((await cluster().queued(one))[0] ?? '') || cluster().queued(one),
        60,
      );
      await cluster().ask('scontrol', 'update', `jobid=${one}`, 'starttime=now');
    }
    const resumed = (workspace: Workspace, output: string) =>
      waitUntil(
        `it takes up ${output}`,
        async () =>
          workspace.lines('out/run', output).some((line) => /^from [1-9]/.test(line)) ||
          (await cluster().ask('squeue', '-o', '%i %T %r %N')),
        60,
      );
    await resumed(packed, 'solver/solver.out');
    for (const member of members) await resumed(array, `sweep/${member}/${member}.out`);
    for (const workspace of [packed, array]) workspace.write('go', '');
    const states = async (job: string, elements: number) =>
      (await cluster().ended(job, elements)).map(({ state }) => state);
    expect(await states(id, 1)).toEqual(['COMPLETED']);
    expect(await states(sweep, 2)).toEqual(['COMPLETED', 'COMPLETED']);
    expect(packed.read('out/run/after/after.out')).toMatch(/^node[2-4]\n$/);
    expect(array.members('out')).toEqual(members.map((member) => `${member} completed 0`));
    for (const workspace of [packed, array]) await nothingLeft(workspace.path('out'));
  }, 900_000);
});
