import { describe, expect, test } from 'vitest';
import { MpiJob, mpis, nodes, useMachines, whyNoMpi } from './cluster.js';

const why = whyNoMpi();

/** Writes to the store of its node, and looks for what the others have written to theirs. */
const each = `
import { hostname } from 'node:os';
import { Client, tensor } from 'simwright/client';
const rank = process.env.OMPI_COMM_WORLD_RANK ?? process.env.PMI_RANK;
const client = await Client.connect();
await client.putTensor('of-' + rank, tensor([Number(rank) + 0.5], [1]));
const [value] = (await client.getTensor('of-' + rank)).data;
const seen = [];
for (const other of [0, 1, 2]) if (await client.tensorExists('of-' + other)) seen.push(other);
console.log(hostname(), rank, value, seen.join(), process.env.SSDB);
await client.close();
`;

describe.skipIf(why !== '')(`MPI over several nodes${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  useMachines();

  describe.each(mpis)('by $name', (mpi) => {
    test.for(['uds', 'tcp'] as const)(
      'a colocated store on each of three nodes, { %s: true }',
      { timeout: 30_000 },
      async (transport, context) => {
        const job = await MpiJob.compile(
          context,
          mpi,
          `experiment('together')
  .model('sim', command('node', 'each.mjs').tasks(3).tasksPerNode(1)).attach({ copy: 'each.mjs' }).colocate({ ${transport}: true })`,
          { 'each.mjs': each },
        );
        const end = await job.run('together');
        expect(end, end.text).toMatchObject({ code: 0 });
        const lines = job.output('sim/sim.out').split('\n').sort();
        expect(lines.map((line) => line.split(' ').slice(0, 4).join(' '))).toEqual(
          nodes.map((node, rank) => `${node} ${rank} ${rank + 0.5} ${rank}`),
        );
        expect(new Set(lines.map((line) => line.split(' ')[4])).size).toBe(1);
        await job.expectNothingLeft();
      },
    );
  });
});
