import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isNewEnough } from '../../src/runtime/engine/find-engine.js';
import { lackOfModule, orSkipped } from '../runtime/engine/support/lacks.js';
import { builtModule, servers } from '../runtime/engine/support/servers.js';
import { cluster, MpiJob, mpis, nodes, useMachines, whyNoMpi } from './cluster.js';

const why = whyNoMpi();
const server = servers.find(isNewEnough);
const lacks = lackOfModule({ 'a server': server });

/** Uses the store from each node, and keeps its list. */
const use = `
import { readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { Client, tensor } from 'simwright/client';
const client = await Client.connect();
await client.putTensor(hostname(), tensor([1], [1]));
console.log(hostname(), process.env.SSDB);
const folder = '../stores/orchestrator';
const list = readdirSync(folder).find((name) => name.startsWith('allow'));
if (hostname() === 'node1') writeFileSync('list', readdirSync(folder + '/' + list).sort().join('\\n'));
await client.close();
`;
const sim = "command('node', 'use.mjs').tasks(3).tasksPerNode(1)";
const files = { 'use.mjs': use };

const [openMpi, mpich] = mpis as [(typeof mpis)[number], (typeof mpis)[number]];

/** Addresses on the store's list. */
const listed = (job: MpiJob) => job.output('sim/list').split('\n');

const [onNames, onOthers] = [97, 98].map((net) => nodes.map((_, index) => `10.${net}.0.${11 + index}`)) as [
  string[],
  string[],
];

/** Lines of the application that ran on all nodes. */
const onAll = (address: string) => nodes.map((node) => `${node} ${address}`);

describe.skipIf(why !== '')(`nodes with addresses that no name tells${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  useMachines();

  test.skipIf(lacks !== '')(
    orSkipped('use a store in shards, whose nodes find each other, on the network of these', lacks),
    async (context) => {
      const chain = `experiment('other').batch({ nodes: 3 }).orchestrator({ engine: 'data', shards: 3 }).model('sim', ${sim}).attach({ copy: 'use.mjs' })`;
      const job = await MpiJob.compile(context, openMpi, chain, files, { networkInterface: 'eth1' });
      const engine = job.workspace.path('out/runtime/engine');
      mkdirSync(engine, { recursive: true });
      copyFileSync(await builtModule(), join(engine, 'simwright.so'));
      const end = await job.run('other', { SIMWRIGHT_ENGINE_SERVER: server?.path ?? '' });
      expect(end, end.text).toMatchObject({ code: 0, text: 'sim: 1 completed' });
      const lines = job.output('sim/sim.out').split('\n').sort();
      expect(lines.map((line) => line.replace(/:\d+/g, ''))).toEqual(onAll(onOthers.join(',')));
      expect(listed(job)).toEqual([...onNames, ...onOthers]);
      await job.expectNothingLeft();
    },
  );

  test('use a store, and hold it, over routes that begin on the other network', async (context) => {
    const route = (from: number, to: number) =>
      [
        `node${from}`,
        '--',
        'ip',
        'route',
        'add',
        `10.97.0.1${to}/32`,
        'dev',
        'eth1',
        'src',
        `10.98.0.1${from}`,
      ] as const;
    const chain = `experiment('route').batch({ nodes: 3 }).orchestrator({ hosts: ['node3'] }).model('sim', ${sim}).attach({ copy: 'use.mjs' })`;
    const job = await MpiJob.compile(context, mpich, chain, files);
    // The store's process looks for the script's host from there, and one task for the store.
    const routes = [route(3, 1), route(2, 3)];
    for (const words of routes) await cluster('on', ...words);
    const end = await job.run('route');
    for (const words of routes) await cluster('on', ...words.map((word) => (word === 'add' ? 'del' : word)));
    expect(end, end.text).toMatchObject({ code: 0, text: 'sim: 1 completed' });
    const lines = job.output('sim/sim.out').split('\n').sort();
    expect(lines).toEqual(onAll(/10\.97\.0\.13:\d+/.exec(lines[0] ?? '')?.[0] ?? 'no address of eth0'));
  });

  test('use a store of another job', async (context) => {
    const chain = `experiment('apart').orchestrator().batch({ walltime: '00:10:00' })
  .model('sim', ${sim}).attach({ copy: 'use.mjs' }).batch({ walltime: '00:10:00' })`;
    const job = await MpiJob.compile(context, mpich, chain, files, { networkInterface: 'eth1' });
    job.workspace.write('one', 'node1\n');
    const store = job.start('orchestrator', { PBS_JOBID: `db.${job.id}`, PBS_NODEFILE: job.workspace.path('one') });
    const end = await job.run('sim');
    expect(end, end.text).toMatchObject({ code: 0 });
    expect(await store).toMatchObject({ exitCode: 0 });
    expect(job.output('sim/sim.out').split('\n').sort()[2]).toMatch(/^node3 10\.98\.0\.11:\d+$/);
    expect(listed(job)).toEqual([...onNames, ...onOthers]);
    await job.expectNothingLeft();
  });

  test('are warned of where one cannot tell them, and the names of all count', async (context) => {
    const chain = `experiment('silent').batch({ nodes: 3 }).orchestrator().model('sim', ${sim}).attach({ copy: 'use.mjs' })`;
    const job = await MpiJob.compile(context, openMpi, chain, files);
    // The last node does not start what asks it.
    const only = `bash -c '[ "$(uname -n)" = node3 ] || exec "$@"' only`;
    const asks = `[[ $* != *addresses ]] || set -- "\${@:1:$#-3}" ${only} "\${@: -3}"`;
    job.workspace.write('bin/mpirun', `#!/bin/bash\n${asks}\nexec -a mpirun ${openMpi.program} "$@"\n`, 0o755);
    const end = await job.run('silent');
    expect(end, end.text).toMatchObject({ code: 0 });
    expect(end.text).toContain('simwright: node3 told no addresses: stores take connections from there by the');
    expect(listed(job)).toEqual([...onNames, '10.98.0.11', '10.98.0.12']);
  });
});
