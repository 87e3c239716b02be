import { describe, expect, test } from 'vitest';
import { apart, kill, MpiJob, nodes, useMachines, whyNoMpi } from './cluster.js';
import { stay } from './programs.js';

const why = whyNoMpi();

/** Writes a key, and stays until it is read. */
const writer = `
import { hostname } from 'node:os';
import { Client, tensor } from 'simwright/client';
const client = await Client.connect();
await client.putTensor('begun', tensor([1], [1]));
console.log(hostname(), process.env.SSDB);
if (!(await client.pollTensor('read', { intervalMs: 50, attempts: 400 }))) process.exit(1);
await client.close();
`;
const reader = `
import { hostname } from 'node:os';
import { Client, tensor } from 'simwright/client';
const client = await Client.connect();
await client.getTensor('begun');
await client.putTensor('read', tensor([1], [1]));
console.log(hostname(), process.env.SSDB);
await client.close();
`;

describe.skipIf(why !== '')(`scripts on a node apart${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  useMachines();

  describe.each(apart)('by $name', (launcher) => {
    test('applications and launches meet a store on a node of the job', async (context) => {
      const job = await MpiJob.compile(
        context,
        launcher,
        `experiment('meet')
  .batch({ walltime: '00:10:00' })
  .orchestrator()
  .model('writer', command('node', 'writer.mjs')).attach({ copy: 'writer.mjs' })
  .model('reader', command('node', 'reader.mjs')).attach({ copy: 'reader.mjs' }).after('writer', { key: 'begun' })`,
        { 'writer.mjs': writer, 'reader.mjs': reader },
      );
      const end = await job.run('meet');
      expect(end, end.text).toMatchObject({ code: 0 });
      const [host = '', address = ''] = job.output('writer/writer.out').split(' ');
      const [other = '', same] = job.output('reader/reader.out').split(' ');
      expect(nodes).toContain(host);
      expect(nodes).toContain(other);
      expect(same).toBe(address);
      // An address of a node, not of the head.
      expect(address).toMatch(/^10\.97\.0\.1[123]:\d+$/);
      const store = JSON.parse(job.workspace.read('out/plan.json')).stores[0];
      expect(store).toMatchObject({ scope: 'network', launch: [launcher.launcher, ...store.launch.slice(1)] });
      await job.expectNothingLeft();
    });
  });

  const [jsrun] = apart as [(typeof apart)[number]];

  test.for(['uds', 'tcp'] as const)(
    'a launch waits for a key of a store that is colocated elsewhere, { %s: true }',
    async (transport, context) => {
      const job = await MpiJob.compile(
        context,
        jsrun,
        `experiment('inside')
  .model('writer', command('node', 'writer.mjs')).attach({ copy: 'writer.mjs' }).colocate({ ${transport}: true })
  .model('reader', command('node', 'reader.mjs')).attach({ copy: 'reader.mjs' }).sharesNodesWith('writer').after('writer', { key: 'begun' })`,
        { 'writer.mjs': writer, 'reader.mjs': reader },
      );
      const end = await job.run('inside', { STAND_IN_NODES: 'node2', LSB_MCPU_HOSTS: 'head 1 node2 4' });
      expect(end, end.text).toMatchObject({ code: 0 });
      expect(job.output('reader/reader.out')).toBe(job.output('writer/writer.out'));
      expect(job.output('reader/reader.out')).toMatch(/^node2 /);
      await job.expectNothingLeft();
    },
  );

  test('stores and launches on parts of the nodes have CPUs of their own there, and run at the same time', async (context) => {
    // Each rank says where it is, and ends when all four have come.
    const meet = `echo "$(uname -n) $STAND_IN_HELD $1"
mkdir -p ../met && touch "../met/$SIMWRIGHT_NAME.$OMPI_COMM_WORLD_RANK"
for ((left = 300; left > 0; left--)); do [ "$(ls ../met | wc -l)" != 4 ] || exit 0; sleep 0.1; done
exit 1
`;
    const job = await MpiJob.compile(
      context,
      jsrun,
      `experiment('parts')
  .batch({ walltime: '00:10:00' })
  .orchestrator({ apart: true })
  .model('sim', command('bash', 'meet.sh', '{hosts}').tasks(2).nodes(2)).attach({ copy: 'meet.sh' }).colocate({ uds: true, id: 'own' })
  .model('trainer', command('bash', 'meet.sh', '{first_host}').tasks(2).nodes(2)).attach({ copy: 'meet.sh' }).sharesNodesWith('sim')`,
      { 'meet.sh': meet },
    );
    const end = await job.run('parts');
    expect(end, end.text).toMatchObject({ code: 0 });
    const ranks = [job.output('sim/sim.out'), job.output('trainer/trainer.out')].map((text) => text.split('\n').sort());
    const cpus = ranks.map(([first = '']) => Number(first.split(' ')[1]));
    // The store has CPU 0.
    expect([...cpus].sort()).toEqual([1, 2]);
    expect(ranks).toEqual([
      [`node2 ${cpus[0]} node2,node3`, `node3 ${cpus[0]} node2,node3`],
      [`node2 ${cpus[1]} node2`, `node3 ${cpus[1]} node2`],
    ]);
    const { stores } = JSON.parse(job.workspace.read('out/plan.json'));
    expect(stores.map((store: { launch: string[] }) => store.launch)).toEqual([
      ['jsrun', '--erf_input={resources}', '--exit_on_error=1'],
      ['jsrun', '--erf_input={resources}', '--exit_on_error=1'],
    ]);
    const resources = job.workspace.read('out/run/stores/orchestrator/resources');
    expect(resources).toContain('rank: 0: { hostname: node1; cpu: {0} }');
    await job.expectNothingLeft();
  });

  test('a colocated store that dies on its node ends the application', async (context) => {
    const job = await MpiJob.compile(
      context,
      jsrun,
      `experiment('stays').model('sim', command('node', 'stay.mjs').tasks(3).tasksPerNode(1)).attach({ copy: 'stay.mjs' }).colocate({ uds: true })`,
      { 'stay.mjs': stay },
    );
    const script = job.start('stays');
    await job.untilReady('sim/sim.out', 3, script);
    await kill('node3', /simwright\.mjs store sim/);
    const { exitCode, all } = await script;
    expect(exitCode).toBeGreaterThan(0);
    expect(all).toContain("error[RUN1005]: store 'sim' died on node3 (its process has gone");
    await job.expectNothingLeft();
  });
});
