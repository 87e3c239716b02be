import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { command, experiment } from '../../../src/index.js';
import { readJobEnvironment, thisHost } from '../../../src/runtime/job/job-environment.js';
import { ownIdentity } from '../../../src/runtime/job/process-identity.js';
import { RayUse } from '../../../src/runtime/launch/ray-use.js';
import { StopRequest } from '../../../src/runtime/launch/stop-request.js';
import { ClusterFiles } from '../../../src/runtime/ray/cluster-files.js';
import { compileFor, entityOf } from '../../compiler/support/compile-experiment.js';
import { waitUntil } from '../support/wait-until.js';

const { plan } = compileFor(
  { name: 's', target: 'slurm', node: { cores: 8 } },
  experiment('e').rayCluster('ray', { nodes: 2, cpusPerNode: 4 }).model('tune', command('tune')).usesRay('ray'),
);

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'simwright-ray-use-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const address = { address: '10.0.0.1:6379', host: 'node1', version: '2.60.0', hosts: ['node1', 'node2'], id: 'a' };
const launch = { host: thisHost(), ...ownIdentity() };

async function find(client?: string) {
  const job = readJobEnvironment({ SIMWRIGHT_JOB: 'e', SIMWRIGHT_JOB_ID: '7', SIMWRIGHT_HOSTS: 'node1 node2' }, dir);
  const files = new ClusterFiles(dir, 'ray');
  files.begin({ id: 'a', env: {} }, 'secret');
  files.publishAddress({ ...address, ...(client === undefined ? {} : { client }), job: 'e', jobId: '7', launch });
  const stop = new StopRequest();
  const use = await RayUse.find({ job, plan, entity: entityOf(plan, 'tune'), stop });
  if (use === undefined) throw new Error('it uses none');
  return { use, files, stop };
}

describe('an entity that uses a Ray cluster', () => {
  test('has the address of Ray on nodes of the cluster, and the path of the token', async () => {
    const { use } = await find();
    expect(use.variables(['node2.domain'])).toEqual({
      RAY_ADDRESS: '10.0.0.1:6379',
      RAY_AUTH_MODE: 'token',
      RAY_AUTH_TOKEN_PATH: join(dir, 'run/clusters/ray/token'),
    });
    use.close();
  });

  test('has that of the client server elsewhere, and is refused without one', async () => {
    const withClient = await find('ray://10.0.0.1:10001');
    expect(withClient.use.variables(['node3'])['RAY_ADDRESS']).toBe('ray://10.0.0.1:10001');
    withClient.use.close();
    const { use } = await find();
    expect(() => use.variables(['node1', 'node3'])).toThrow(expect.objectContaining({ code: 'RUN1062' }));
    use.close();
  });

  test('is stopped when the cluster has ended, and nothing secret is left', async () => {
    const { use, files, stop } = await find();
    files.announceEnd({ id: 'a', jobId: '7', reason: "Ray cluster 'ray' failed on node2: out of memory" });
    files.clear();
    await waitUntil('it is stopped', () => stop.reason !== undefined);
    expect(stop.reason).toMatchObject({
      kind: 'ray',
      problem: { code: 'RUN1061', message: "Ray cluster 'ray' failed on node2: out of memory" },
    });
    expect(readdirSync(files.folder)).toEqual(['ended.json']);
    use.close();
  });
});
