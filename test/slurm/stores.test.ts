import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseNpy } from '../../src/runtime/npy/npy.js';
import type { Workspace } from '../helpers/workspace.js';
import { waitUntil } from '../runtime/support/wait-until.js';
import { useCluster, whyNoSlurm } from './cluster.js';
import { compileForSlurm, log, nothingLeft, sharedWorkspace } from './workspaces.js';

const why = whyNoSlurm();

const put = `
import { readFileSync } from 'node:fs';
import { Client, tensor } from 'simwright/client';
const client = await Client.connect();
await client.putTensor('x', tensor([JSON.parse(readFileSync('params.json')).I], [1]));
console.log(process.env.SSDB);
await client.close();
`;
const sum = `
import { Client, tensor } from 'simwright/client';
const client = await Client.connect();
let sum = 0;
for (const name of ['writer_0', 'writer_1', 'writer_2']) {
  client.setDataSource(name);
  if (!(await client.pollTensor('x', { intervalMs: 50, attempts: 1000 }))) throw new Error(name);
  sum += (await client.getTensor('x')).data[0];
}
await client.putTensor('sum', tensor([sum], [1]));
await client.close();
`;
const stay = `
import { Client, tensor } from 'simwright/client';
const client = await Client.connect();
console.log('ready');
await new Promise(() => setInterval(() => {}, 1000));
`;

/** Whole nodes, so that each job has one of its own. */
const batch = `.batch({ nodes: 1, exclusive: true, walltime: '00:05:00' })`;

describe.skipIf(why !== '')(`stores on a real Slurm${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  const cluster = useCluster();

  async function compiled(chain: string): Promise<Workspace> {
    const workspace = sharedWorkspace();
    for (const [name, text] of Object.entries({ 'put.mjs': put, 'sum.mjs': sum, 'stay.mjs': stay })) {
      workspace.write(name, text);
    }
    workspace.workflow(chain);
    await compileForSlurm(workspace);
    return workspace;
  }

  const nodeOf = async (id: string) => (await cluster().account(id))[0]?.nodes;

  test('a job array and a job share the store of a third one, each on a node of its own', async () => {
    const workspace = await compiled(`experiment('meet')
  .orchestrator({ saveAtEnd: ['sum'] })${batch}
  .ensemble('writer', command('node', 'put.mjs'))
    .params({ I: [1, 2, 4] })
    .attach({ copy: 'put.mjs' })
    .batch({ nodes: 1, exclusive: true, walltime: '00:05:00', mode: 'array', maxConcurrent: 2 })
  .model('reader', command('node', 'sum.mjs'))
    .attach({ copy: 'sum.mjs' })
    .registerIncomingEntity('writer')
    .after('writer', 'started')${batch}`);
    const ids = await cluster().submit(workspace.path('out'));
    const { orchestrator: store = '', writer = '', reader = '' } = ids;
    for (const [id, elements] of [
      [writer, 3],
      [reader, 1],
      [store, 1],
    ] as const) {
      for (const { state, exitCode } of await cluster().ended(id, elements))
        expect([state, exitCode]).toEqual(['COMPLETED', '0:0']);
    }
    expect(await nodeOf(reader)).not.toBe(await nodeOf(store));
    const saved = readFileSync(workspace.path('out/run/stores/orchestrator/saved/sum.npy'));
    expect(saved.readDoubleLE(parseNpy(saved).dataAt)).toBe(7);
    const addresses = [0, 1, 2].map((i) => workspace.read('out/run/writer', `writer_${i}`, `writer_${i}.out`));
    expect(new Set(addresses).size).toBe(1);
    expect(addresses[0]).toMatch(/^10\.214\.\d+\.\d+:\d+\n$/);
    expect(log(workspace, `orchestrator-${store}.out`)).toContain('all that use it have ended');
    await nothingLeft(workspace.path('out'));
  }, 540_000);

  test('when the job of the store is cancelled, that of its user fails with the reason', async () => {
    const workspace = await compiled(`experiment('meet')
  .orchestrator()${batch}
  .model('solver', command('node', 'stay.mjs')).attach({ copy: 'stay.mjs' })${batch}`);
    const { orchestrator: store = '', solver = '' } = await cluster().submit(workspace.path('out'));
    const output = () => workspace.lines('out/run/solver/solver.out');
    await waitUntil('the application uses the store', () => output().includes('ready'), 60);
    await cluster().ask('scancel', store);
    const [end] = await cluster().ended(solver);
    // The job's exit code is srun's, which has codes of its own.
    expect(end?.state).toBe('FAILED');
    const [step] = await cluster().steps(solver);
    expect(step, 'it got SIGTERM, not SIGKILL').toMatchObject({ name: 'solver', exitCode: '0:15' });
    expect(log(workspace, `solver-${solver}.out`)).toContain(
      `error[RUN1005]: store 'orchestrator' of job 'orchestrator' (${store}) has gone`,
    );
    await cluster().ended(store);
    await nothingLeft(workspace.path('out'));
  }, 540_000);

  test('a job that goes without a word does not keep the store', async () => {
    const workspace = await compiled(`experiment('meet')
  .orchestrator()${batch}
  .model('solver', command('node', 'stay.mjs')).attach({ copy: 'stay.mjs' })${batch}`);
    const { orchestrator: store = '', solver = '' } = await cluster().submit(workspace.path('out'));
    await waitUntil(
      'the application uses the store',
      () => workspace.lines('out/run/solver/solver.out').includes('ready'),
      60,
    );
    const node = (await nodeOf(solver)) ?? '';
    // As when the node breaks: nothing of the job is left to say so.
    await cluster().on(node, 'pkill', '-KILL', '-f', 'jobs/|slurm_script|simwright.mjs|stay.mjs');
    const [end] = await cluster().ended(store);
    expect([end?.state, end?.exitCode]).toEqual(['COMPLETED', '0:0']);
    await nothingLeft(workspace.path('out'));
  }, 540_000);
});
