import { join } from 'node:path';
import { expect, type TestContext, test, vi } from 'vitest';
import { command, experiment } from '../../src/index.js';
import { coupled, type Defect, largeStep, lateDirective, saidIn, wrongDependency } from './defects.js';
import { compiled, connects, found, rehearsed, states } from './support.js';

vi.setConfig({ testTimeout: 180_000, maxConcurrency: 2 });

/** Rehearses a folder with a defect that a real Slurm shows as well; test/rehearse/truth/slurm.test.ts shows it there. */
async function rehearsedWith(context: TestContext, defect: Defect) {
  const folder = compiled(context, defect.experiment);
  defect.bring(folder);
  const record = await rehearsed(folder);
  expect(states(record)).toEqual(defect.states);
  expect(saidIn(join(folder.dir, 'rehearsal'))).toContain(defect.says);
  return { folder, record };
}

/** The flow without a defect is the measure of all others. */
test.concurrent('without a defect nothing is found', async (context) => {
  const record = await rehearsed(compiled(context, coupled));
  expect([found(record), states(record), record.submitted]).toEqual([[], ['flow completed 0'], 0]);
});

test.concurrent('a lost --overlap', async (context) => {
  const shared = experiment('flow')
    .batch({ nodes: 2, walltime: '00:10:00' })
    .orchestrator({ cpus: 2 })
    .model(
      'solver',
      command(...connects)
        .nodes(2)
        .tasks(4),
    );
  const folder = compiled(context, shared);
  // The store's step loses the option; the step before it, which tells addresses, is over soon.
  folder.change('jobs/flow.sbatch', ' --overlap --kill-on-bad-exit', ' --kill-on-bad-exit');
  const record = await rehearsed(folder);
  expect(found(record)).toEqual([
    expect.stringMatching(
      /^dead-lock: job flow: solver waits for .* and store orchestrator holds .* of node1 until the end of the job$/,
    ),
  ]);
  // Long before the walltime of ten minutes.
  expect(record.seconds).toBeLessThan(120);
});

test.concurrent('a directive after a command', async (context) => {
  const { folder, record } = await rehearsedWith(context, lateDirective);
  const line = folder.read('jobs/flow.sbatch').split('\n').indexOf('#SBATCH --nodes=2') + 1;
  expect(found(record)).toContain(
    `ignored directive: jobs/flow.sbatch:${line}: '#SBATCH --nodes=2' is not read: it stands after the first command`,
  );
});

test.concurrent('a lost exit code', async (context) => {
  const folder = compiled(context, experiment('flow').model('solver', command('bash', '-c', 'exit 3')));
  folder.change('jobs/flow.sbatch', 'return "$worst"', 'return 0');
  expect(found(await rehearsed(folder))).toEqual([
    'lost exit code: job flow: solver ended with exit code 3, and the job with 0',
  ]);
});

test.concurrent('a store on the wrong loopback', async (context) => {
  const folder = compiled(context, coupled);
  folder.change('plan.json', '"scope": "network"', '"scope": "loopback"');
  const record = await rehearsed(folder);
  expect(states(record)).toEqual(['flow failed 1']);
  expect(record.steps.find(({ name }) => name === 'solver')).toMatchObject({ exitCode: 1 });
});

test.concurrent('a step that does not fit', async (context) => {
  const { folder, record } = await rehearsedWith(context, largeStep);
  const lines = folder.read('jobs/flow.sbatch').split('\n');
  const line = lines.findIndex((text) => text.startsWith('runtime launch solver')) + 1;
  expect(found(record)).toEqual([
    `refused: jobs/flow.sbatch:${line}: srun: error: Unable to create step for job: More processors requested than permitted`,
  ]);
});

test.concurrent('GPUs that are not summed', async (context) => {
  const folder = compiled(
    context,
    experiment('flow')
      .batch({ nodes: 1, walltime: '00:10:00' })
      .model('reader', command('bash', '-c', 'echo holds a GPU; sleep 100').gpusPerTask(1))
      .registerIncomingEntity('writer')
      .model('writer', command('sleep', '1').gpusPerTask(1))
      .after('reader', 'started'),
  );
  folder.change('jobs/flow.sbatch', '#SBATCH --gpus-per-node=2', '#SBATCH --gpus-per-node=1');
  // A launch has started before its step has what it asks for.
  const waits = 'until [ -s run/reader/reader.out ]; do sleep 0.05; done';
  folder.change('jobs/flow.sbatch', 'runtime launch writer', `${waits}\nruntime launch writer`);
  // The job's own sum, which the runtime compares with what the scheduler gave.
  folder.change('plan.json', '"gpusPerNode": 2', '"gpusPerNode": 1');
  const record = await rehearsed(folder);
  expect(found(record), record.said.join('\n')).toEqual([
    expect.stringMatching(
      /^dead-lock: job flow: writer waits for 1 CPU, 1 GPU .* and reader holds 1 CPU, 1 GPU of node1 while it waits/,
    ),
  ]);
});

test.concurrent('a dependency on the wrong status', async (context) => {
  const { record } = await rehearsedWith(context, wrongDependency);
  expect(found(record)).toEqual(['never run: job solver: it never ran, though all that it waits for has come']);
});

test.concurrent('an environment that does not travel', async (context) => {
  const folder = compiled(context, coupled);
  folder.change('jobs/flow.sbatch', 'srun -J solver', 'srun --export=NONE -J solver');
  const record = await rehearsed(folder);
  expect(states(record)).toEqual(['flow failed 1']);
  expect(folder.read('rehearsal/run/solver/solver.err')).toContain('/dev/tcp');
});

test.concurrent('standard input expected on rank 1', async (context) => {
  const open = experiment('flow')
    .batch({ walltime: '00:10:00' })
    .model('solver', command('sleep', '2').nodes(2).tasks(2))
    .colocate({ tcp: true, port: 6780 });
  const site = { name: 'hpc', target: 'pbs', launcher: 'mpirun', node: { cores: 4 } } as const;
  expect(states(await rehearsed(compiled(context, open, site)))).toEqual(['flow completed 0']);
  // A store that is held by its standard input: mpirun gives that to rank 0 alone, and the other one ends at once.
  const folder = compiled(context, open, site);
  folder.change('runtime/simwright.mjs', '"pipe":"link"', '"pipe":"pipe"');
  const record = await rehearsed(folder);
  expect(states(record)).toEqual(['flow failed 1']);
  expect(record.said).toContain('store solver starts on node1 node2');
  expect(record.said.filter((text) => text.startsWith('solver starts'))).toEqual([]);
});

test.concurrent("a comment before Cobalt's directives", async (context) => {
  const folder = compiled(
    context,
    experiment('flow').batch({ walltime: '00:10:00' }).model('solver', command('true')),
    'cobalt',
  );
  folder.change('jobs/flow.cobalt', /^(#!.*\n)/, '$1# a comment\n');
  const record = await rehearsed(folder);
  expect(found(record).join('\n'), record.said.join('\n')).toMatch(/jobs\/flow\.cobalt/);
  expect(states(record)).not.toEqual(['flow completed 0']);
});
