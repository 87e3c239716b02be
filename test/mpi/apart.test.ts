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
