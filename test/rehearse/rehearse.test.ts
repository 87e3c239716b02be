import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { command, experiment } from '../../src/index.js';
import { parseFault } from '../../src/rehearse/faults.js';
import { expectNothingLeft, processesOf } from '../helpers/leftovers.js';
import { simwright, startSimwright } from '../helpers/simwright.js';
import { waitUntil } from '../runtime/support/wait-until.js';
import { compiled, connects, found, rehearsed, states } from './support.js';

vi.setConfig({ testTimeout: 180_000, maxConcurrency: 2 });

const sweep = experiment('flow')
  .batch({ nodes: 2, walltime: '00:10:00' })
  .orchestrator({ apart: true })
  .ensemble('sweep', command('bash', '-c', 'hostname; touch /tmp/mine; ls /tmp; '.concat(connects[2])))
  .params({ A: [1, 2] })
  .model('last', command('hostname'))
  .after('sweep', 'completed');

test.concurrent('a rehearsal reports like a run, and leaves the folder alone', async (context) => {
  const folder = compiled(context, sweep);
  const before = readdirSync(folder.dir).sort();
  const end = await simwright({ cwd: folder.dir }, 'rehearse', '.', '--json');
  expect(end.stderr).toBe('');
  const record = JSON.parse(end.stdout);
  expect(record, end.stderr).toMatchObject({
    ok: true,
    exitCode: 0,
    findings: [],
    isolation: expect.stringContaining('own host name'),
  });
  expect(readdirSync(folder.dir).sort()).toEqual([...before, 'rehearsal'].sort());
  // Nodes have names of their own, and a /tmp of their own in which only the rehearsal's files are.
  expect(folder.read('rehearsal/run/sweep/sweep_0/sweep_0.out')).toMatch(/^node2\n/);
  expect(folder.read('rehearsal/run/members.csv')).toMatch(/^sweep,0,sweep_0,1,completed,0,[\d.]+,node2$/m);
  expect(existsSync('/tmp/mine')).toBe(false);
  const status = await simwright({ cwd: folder.dir }, 'status', 'rehearsal');
  expect(status.stdout).toMatch(/flow +1 +COMPLETED .* 0/);
  expect(folder.read('rehearsal/timeline.svg')).toContain('orchestrator');
  const second = record.use.nodes.find(({ node }: { node: string }) => node === 'node2');
  expect(second.workSeconds).toBeGreaterThan(0);
  expect(second.workSeconds).toBeLessThan(second.heldSeconds);
  // It may be repeated, but a folder of somebody else's is not removed.
  const taken = await simwright({ cwd: folder.dir }, 'rehearse', '.', '--keep', 'jobs');
  expect([taken.exitCode, taken.stderr]).toEqual([1, expect.stringContaining('OUT1001')]);
  await expectNothingLeft(join(folder.dir, 'rehearsal'));
});

test.concurrent('hosts reach a store on a network beside that of their names', async (context) => {
  const script = `${connects[2]} && echo "$SSDB"`;
  const open = experiment('flow')
    .orchestrator({ apart: true })
    .model('solver', command('bash', '-c', script).nodes(2).tasks(2));
  const site = { name: 'hpc', target: 'slurm', networkInterface: 'hsn0', node: { cores: 4 } } as const;
  const folder = compiled(context, open, site);
  const record = await rehearsed(folder);
  expect([found(record), states(record)]).toEqual([[], ['flow completed 0']]);
  expect(folder.read('rehearsal/run/solver/solver.out')).toMatch(/^(10\.98\.1\.\d+:\d+\n){2}$/);
});

test.concurrent('a folder for this machine has nothing to rehearse: a run does', async (context) => {
  const folder = compiled(context, experiment('flow').model('short', command('true')), 'local');
  const { exitCode, stderr } = await simwright({ cwd: folder.dir }, 'rehearse', '.');
  expect([exitCode, stderr]).toEqual([
    2,
    expect.stringContaining(`error[CLI1011]: ${folder.dir} is compiled for local`),
  ]);
  expect(stderr).toContain('simwright run runs a workflow on this machine');
  expect(existsSync(join(folder.dir, 'rehearsal'))).toBe(false);
});

test.concurrent('Ctrl-C ends a rehearsal, and leaves no process and no folder', async (context) => {
  const folder = compiled(context, experiment('flow').model('long', command('sleep', '1000')));
  const child = startSimwright({ cwd: folder.dir }, 'rehearse', '.');
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  await waitUntil('it runs', () => said.includes('long starts'), 60);
  child.kill('SIGINT');
  const end = await child;
  expect([end.exitCode, end.stdout]).toEqual([130, expect.stringContaining('1 cancelled')]);
  await waitUntil('all have gone', () => processesOf(folder.dir).length === 0, 30);
  const [state = ''] = /simwright-rehearsal-\w+/.exec(end.stdout + said) ?? [''];
  expect(readdirSync(tmpdir()).filter((name) => name === basename(state))).toEqual([]);
});

test.concurrent('jobs that wait for each other and do not fit together', async (context) => {
  const folder = compiled(
    context,
    experiment('flow')
      .orchestrator()
      .batch({ nodes: 1, walltime: '01:00:00' })
      .model('wide', command('true').nodes(2).tasks(2))
      .batch({ nodes: 2, walltime: '01:00:00', exclusive: true }),
  );
  const record = await rehearsed(folder, { nodes: 2 });
  expect(found(record)).toEqual([
    'dead-lock: job wide: it waits for 2 nodes, and job orchestrator holds node1 and waits for it',
  ]);
});

test.concurrent('a machine that is too small refuses', async (context) => {
  const folder = compiled(context, experiment('flow').model('wide', command('true').nodes(3).tasks(3)));
  const end = await simwright({ cwd: folder.dir }, 'rehearse', '.', '--nodes', '2');
  expect([end.exitCode, end.stdout]).toEqual([
    3,
    expect.stringContaining('Requested node configuration is not available'),
  ]);
});

test.concurrent('two of one user beside each other, with hosts by name: neither ends what the other runs', async (context) => {
  const served = experiment('flow')
    .orchestrator({ restart: false })
    .model('short', command('bash', '-c', `sleep 3; ${connects[2]}`));
  const [spared, met] = await Promise.all([
    rehearsed(compiled(context, served), { plain: true }),
    rehearsed(compiled(context, served), { plain: true, faults: [parseFault('store@2s'), parseFault('walltime@6s')] }),
  ]);
  expect([states(spared), found(spared)]).toEqual([['flow completed 0'], []]);
  expect(states(met)).toEqual([expect.stringMatching(/^flow failed /)]);
});

test.concurrent('--plain, --speed and --svg: hosts by name, an hour in three seconds, the picture where it is wanted', async (context) => {
  const folder = compiled(
    context,
    experiment('flow')
      .batch({ walltime: '01:00:00' })
      .model('first', command('bash', '-c', 'hostname; echo "$HOSTNAME"'))
      .model('long', command('sleep', '1000'))
      .after('first'),
  );
  const words = ['rehearse', '.', '--plain', '--speed', '1200', '--svg', 'picture.svg', '--keep', 'copy'];
  const end = await simwright({ cwd: folder.dir }, ...words);
  expect(end.exitCode, end.stderr).toBe(4);
  expect(end.stdout).toMatch(/^rehearsal of \.: slurm, 1 node \(node1\) of 1 CPU, by name only: /);
  expect(end.stdout).toMatch(/^job +node +0\.0s.*\nflow +node1 +[ .]*-+#+-*#*-*\n/m);
  expect(end.stdout).toContain('\njobs: 1 failed\n');
  expect(end.stderr).toMatch(/s {2}job flow failed with exit code 124\n/);
  expect(end.stdout.split('\n\n').at(-1)).toMatch(
    /^long interrupted: .+\n$|^job flow failed with exit code 124; see copy\/logs\/flow-\d+\.out\n.*the walltime is about to be over\n$/s,
  );
  const record = JSON.parse(folder.read('copy/timeline.json'));
  expect(record).toMatchObject({ runs: [{ state: 'failed', exitCode: 124 }], findings: [] });
  expect(record.seconds).toBeLessThan(60);
  const picture = folder.read('picture.svg');
  expect(picture).toBe(folder.read('copy/timeline.svg'));
  expect(picture).toMatch(/<title>long: 1 rank, 1 CPU, 0 GPUs, [\d.]+ s<\/title>/);
  // Each element is closed, and no name is taken for markup.
  expect(picture.match(/<(?!\/|[^>]*\/>)[^>]*>/g)?.length).toBe(picture.match(/<\//g)?.length);
  const wrong = await simwright({ cwd: folder.dir }, 'rehearse', '.', '--speed', '0');
  expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringContaining('a number above 0 is expected')]);
});

test.concurrent('ends with what failed: a store that cannot start, a member with the end of its output', async (context) => {
  const stored = compiled(
    context,
    experiment('flow').orchestrator({ engine: 'redis' }).model('short', command('true')),
  );
  const words = ['rehearse', '.', '--plain'];
  // An empty folder instead of the user's: no engine is installed there.
  const refused = await simwright({ cwd: stored.dir, env: { XDG_DATA_HOME: stored.dir } }, ...words, '--json');
  expect(refused.exitCode).toBe(4);
  expect(JSON.parse(refused.stdout).failures).toEqual([
    {
      what: expect.stringMatching(/^job flow failed with exit code \d+$/),
      output: expect.stringMatching(/^logs\/flow-\d+\.out$/),
      lines: expect.arrayContaining([expect.stringMatching(/^error\[RUN\d+\]: /)]),
    },
  ]);
  const failing = experiment('flow').model('solver', command('bash', '-c', 'echo it diverged >&2; exit 3'));
  const { stdout } = await simwright({ cwd: compiled(context, failing).dir }, ...words);
  expect(stdout).toMatch(
    /are there too\n\nsolver failed: 'it diverged' \(exit code 3\); see rehearsal\/run\/solver\/solver\.err\n {2}it diverged\n$/,
  );
});

test.concurrent('faults: a member', async (context) => {
  const pair = experiment('flow')
    .batch({ walltime: '00:10:00' })
    .ensemble('sweep', command('sleep', '2'))
    .params({ A: [1, 2] });
  const killed = await rehearsed(compiled(context, pair), { faults: [parseFault('app:sweep_1')] });
  expect(states(killed)).toEqual(['flow failed 137']);
});

const endless = experiment('flow').model('long', command('sleep', '1000'));

test.concurrent('faults: the walltime; the runtime ends applications before the scheduler ends the job', async (context) => {
  const record = await rehearsed(compiled(context, endless), { faults: [parseFault('walltime@4s')] });
  expect(states(record)).toEqual(['flow failed 124']);
  expect(record.seconds).toBeLessThan(60);
});

test.concurrent('faults: the walltime of a script that does not end', async (context) => {
  const folder = compiled(context, endless);
  folder.change('jobs/flow.sbatch', /^await_launches$/m, 'while true; do sleep 1000 || true; done');
  const record = await rehearsed(folder, { faults: [parseFault('walltime@2s')], speed: 20 });
  expect(states(record)).toEqual(['flow timeout 137']);
  expect(record.said).toContain('job flow was ended at its walltime');
});

test.concurrent('faults: a store, a node', async (context) => {
  const served = experiment('flow')
    .batch({ nodes: 2, walltime: '00:10:00' })
    .orchestrator({ apart: true, restart: false })
    .model('long', command('sleep', '1000'));
  // The job ends with its store, long before its walltime.
  const store = await rehearsed(compiled(context, served), { faults: [parseFault('store@6s')] });
  expect(states(store)).toEqual([expect.stringMatching(/^flow failed/)]);
  const node = await rehearsed(compiled(context, served), { faults: [parseFault('node:2@6s')] });
  expect(states(node)).toEqual([expect.stringMatching(/^flow node_fail/)]);
});

test.concurrent('--stub-app runs no application, and writes the keys that others wait for', async (context) => {
  const folder = compiled(
    context,
    experiment('flow')
      .batch({ nodes: 2, walltime: '00:10:00' })
      .orchestrator({ apart: true })
      .model('solver', command('/not/here/solver').tasks(4))
      .model('reader', command('/not/here/reader'))
      .after('solver', { key: 'ready' }),
  );
  const record = await rehearsed(folder, { stubSeconds: 0.1 });
  expect([states(record), found(record)]).toEqual([['flow completed 0'], []]);
});

test('faults that there are not', () => {
  for (const text of ['node', 'disk@3s', 'walltime', 'app@3s'])
    expect(() => parseFault(text)).toThrow(/names no fault/);
});
