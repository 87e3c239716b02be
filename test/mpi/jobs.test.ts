import { describe, expect, test } from 'vitest';
import { MpiJob, mpis, nodes, useMachines, whyNoMpi } from './cluster.js';
import { each, hello, meet, part } from './programs.js';

const why = whyNoMpi();

describe.skipIf(why !== '')(`MPI over several nodes${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  useMachines();

  describe.each(mpis)('by $name', (mpi) => {
    test.for(['uds', 'tcp'] as const)(
      'a colocated store on each of three nodes, { %s: true }',
      async (transport, context) => {
        const job = await MpiJob.compile(
          context,
          mpi,
          `experiment('together')
  .model('sim', command('node', 'each.mjs').tasks(3).tasksPerNode(1)).attach({ copy: 'each.mjs' }).colocate({ ${transport}: true })`,
          { 'each.mjs': each },
        );
        const end = await job.run('together');
        expect(end, end.text).toMatchObject({ code: 0, text: 'sim: 1 completed' });
        const lines = job.output('sim/sim.out').split('\n').sort();
        expect(lines.map((line) => line.split(' ').slice(0, 4).join(' '))).toEqual(
          nodes.map((node, rank) => `${node} ${rank} ${rank + 0.5} ${rank}`),
        );
        expect(new Set(lines.map((line) => line.split(' ')[4])).size).toBe(1);
        await job.expectNothingLeft();
      },
    );

    test('two programs beside a store on another node than the script, each rank with its environment', async (context) => {
      const job = await MpiJob.compile(
        context,
        mpi,
        `experiment('beside')
  .batch({ nodes: 3 })
  .orchestrator({ hosts: ['node2'] })
  .model('hello', command('python3', 'hello.py').tasks(6).tasksPerNode(2)).attach({ copy: 'hello.py' }).registerIncomingEntity('hello')
  .model('parts', command('python3', 'part.py', 'ocean').tasks(3).tasksPerNode(1).mpmd(command('python3', 'part.py', 'air').tasks(3).tasksPerNode(1)))
    .attach({ copy: 'part.py' })
    .after('hello')`,
        { 'hello.py': hello, 'part.py': part },
      );
      const end = await job.run('beside');
      expect(end, end.text).toMatchObject({ code: 0, text: 'hello: 1 completed\nparts: 1 completed' });
      const ranks = job.output('hello/hello.out').split('\n').sort();
      const [first = ''] = ranks;
      const address = /\b10\.97\.0\.12:\d+\b/.exec(first)?.[0] ?? 'no address of node2';
      const dir = job.workspace.path('out/run/hello');
      const told = ['hello', '0', 'beside', job.id, dir, address, 'hello', job.path, '1'];
      expect(ranks).toEqual(
        [0, 1, 2, 3, 4, 5].map((rank) => [rank, nodes[Math.floor(rank / 2)], 6, 15, ...told].join(' ')),
      );
      const parts = job.output('parts/parts.out').split('\n').sort();
      const expected = (name: string, from: number) =>
        nodes.map((node, index) => `${name} ${from + index} ${node} parts ${address}`);
      expect(parts).toEqual([...expected('air', 3), ...expected('ocean', 0)]);
      await job.expectNothingLeft();
    });

    test('entities that run at the same time have nodes and GPUs of their own', {
      timeout: 60_000,
    }, async (context) => {
      const model = (name: string, size: string) =>
        `.model('${name}', command('bash', 'meet.sh')${size}.gpusPerNode(1)).attach({ copy: 'meet.sh' })`;
      const job = await MpiJob.compile(
        context,
        mpi,
        `experiment('meeting').batch({ nodes: 3 })
  ${model('wide', '.tasks(2).tasksPerNode(1).cpusPerTask(3)')}
  ${model('alone', '.cpusPerTask(3)')}
  ${model('small', '')}`,
        { 'meet.sh': meet },
        { node: { cores: 4, gpus: 2 } },
      );
      const end = await job.run('meeting');
      expect(end, end.text).toMatchObject({ code: 0 });
      const ranks = ['wide', 'alone', 'small'].flatMap((name) =>
        job
          .output(`${name}/${name}.out`)
          .split('\n')
          .map((line) => [name, ...line.split(' ')]),
      );
      const nodesOf = (...names: string[]) =>
        ranks.flatMap(([name = '', node]) => (names.includes(name) ? [node] : []));
      expect(nodesOf('wide', 'alone').sort()).toEqual(nodes);
      expect(new Set(ranks.map(([, node, gpu]) => `${node} ${gpu}`)).size, JSON.stringify(ranks)).toBe(4);
      expect(ranks.every(([, , gpu]) => gpu === '0' || gpu === '1')).toBe(true);
      await job.expectNothingLeft();
    });
  });
});
