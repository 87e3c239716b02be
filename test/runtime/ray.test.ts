import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { expectNothingLeft, processesOf } from '../helpers/leftovers.js';
import { clusterOf, python, ray, rayFolders, rayProcesses, skipped, small, tokenOf } from '../helpers/ray.js';
import { simwright, startSimwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { waitUntil } from './support/wait-until.js';

/** A driver whose task reads from the store; it stays until a file `go` appears beside it. */
const driver = `
import os, time
import numpy as np
import ray
from smartredis import Client

Client(cluster=False).put_tensor("x", np.arange(4.0))
ray.init()

@ray.remote
def total():
    return float(Client(cluster=False).get_tensor("x").sum()), os.environ.get("OMP_NUM_THREADS")

print("total", *ray.get(total.remote()), flush=True)
while not os.path.exists("go"):
    time.sleep(0.05)
`;

function workspaceOf(options: string, command = `command('${python}', 'driver.py')`): Workspace {
  const workspace = new Workspace();
  workspace.write('driver.py', driver);
  workspace.workflow(`experiment('e')
  .orchestrator()
  .rayCluster('ray', { ${options} })
  .model('tune', ${command})
    .attach({ copy: 'driver.py' })
    .usesRay('ray')`);
  return workspace;
}

const start = (workspace: Workspace) => startSimwright(workspace, 'run', 'workflow.ts', '--out', 'out');

const logOf = (workspace: Workspace) =>
  workspace
    .files('out/logs')
    .map((name) => workspace.read('out/logs', name))
    .join('\n');

const said = (workspace: Workspace) => () =>
  workspace.lines('out/run/tune', 'tune.out').find((line) => line.startsWith('total'));

const began = async (workspace: Workspace, run: ReturnType<typeof start>) => {
  const early = run.then(({ stdout, stderr }) => {
    throw new Error(`it ended too early:\n${stdout}\n${stderr}`);
  });
  early.catch(() => {});
  await Promise.race([waitUntil('the task has run', () => said(workspace)() !== undefined, 60), early]);
};

describe('a Ray cluster that does not start', () => {
  test('says that its Python has no Ray, and its user is skipped', async () => {
    const workspace = workspaceOf(`python: '/usr/bin/python3'`, `command('true')`);
    const { exitCode, stdout, stderr } = await start(workspace);
    expect(exitCode).toBe(4);
    expect(logOf(workspace)).toContain('error[RUN1060]');
    expect(`${stdout}${stderr}`).toMatch(
      /Ray cluster 'ray' did not start on \S+: Python '\/usr\/bin\/python3' \(3\.\d+\.\d+\) has no Ray/,
    );
    expect(workspace.files('out/run/tune')).toEqual([]);
    await expectNothingLeft(workspace.path('out'));
    expect(workspace.files('out/run/clusters/ray')).toEqual(['ended.json']);
  });
});

describe.skipIf('missing' in ray)(`a Ray cluster on this machine${skipped}`, () => {
  test('runs tasks that read from the store, shows where it is, and leaves nothing', async () => {
    const workspace = workspaceOf(`cpusPerNode: 2, python: '${python}', ${small}`);
    const run = start(workspace);
    await began(workspace, run);
    // Ray gives a task of one CPU one thread.
    expect(said(workspace)()).toBe('total 6.0 1');
    const cluster = clusterOf(workspace);
    expect(cluster).toMatchObject({
      address: expect.stringMatching(/^[\d.]+:\d+$/),
      client: expect.stringMatching(/^ray:/),
    });
    const status = JSON.parse((await simwright(workspace, 'status', 'out', '--json')).stdout);
    expect(status.clusters).toEqual([
      { name: 'ray', address: cluster?.['address'], client: cluster?.['client'], hosts: cluster?.['hosts'] },
    ]);
    expect((await simwright(workspace, 'status', 'out')).stdout).toMatch(/RAY CLUSTER +ADDRESS/);

    // The token is in a file that others cannot reach, and nowhere else.
    const token = readFileSync(tokenOf(workspace), 'utf8').trim();
    expect(statSync(tokenOf(workspace)).mode & 0o777).toBe(0o600);
    expect(statSync(workspace.path('out/run/clusters/ray')).mode & 0o777).toBe(0o700);
    for (const { pid, command } of processesOf(workspace.path('out'))) {
      expect(command).not.toContain(token);
      expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain(token);
    }
    // A stranger has no token, or another.
    const asked = (path: string) =>
      execa(python, ['-m', 'simwright.ray_cluster', 'nodes', String(cluster?.['address'])], {
        env: { PYTHONPATH: workspace.path('out/runtime/python'), RAY_AUTH_MODE: 'token', RAY_AUTH_TOKEN_PATH: path },
        reject: false,
      });
    workspace.write('other-token', 'of-another-cluster-0123456789abcdef\n', 0o600);
    const [own, other] = await Promise.all([asked(tokenOf(workspace)), asked(workspace.path('other-token'))]);
    expect(own.stdout).toContain('"alive": true');
    expect(other.stdout).not.toContain('alive');
    expect(other.failed).toBe(true);

    workspace.write('out/run/tune/go', '');
    expect((await run).exitCode).toBe(0);
    await expectNothingLeft(workspace.path('out'));
    expect(rayFolders()).toEqual([]);
    expect(workspace.files('out/run/clusters/ray')).toEqual(['ended.json']);
    expect(workspace.files('out/run/ray/logs')).toHaveLength(1);
    // All is done: neither runs again.
    const again = await start(workspace);
    expect(again.exitCode).toBe(0);
    expect(logOf(workspace)).toContain('ray: 1 completed before, skipped');
    expect(rayProcesses(workspace.path('out'), 'raylet')).toEqual([]);
  });

  test('says that its port is taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen({ port: 0 }, resolve));
    const { port } = server.address() as { port: number };
    const workspace = workspaceOf(`port: ${port}, python: '${python}'`, `command('true')`);
    const { exitCode, stdout, stderr } = await start(workspace);
    server.close();
    expect(exitCode).toBe(4);
    expect(`${stdout}${stderr}`).toContain(
      `port ${port} cannot be used: something listens on it already; leave out port`,
    );
    await expectNothingLeft(workspace.path('out'));
  });

  test('fails within seconds when its Ray is killed, and its user with it', async () => {
    const workspace = workspaceOf(`cpusPerNode: 2, python: '${python}', ${small}`);
    const run = start(workspace);
    await began(workspace, run);
    const [raylet = 0] = rayProcesses(workspace.path('out'), 'raylet');
    process.kill(raylet, 'SIGKILL');
    const { exitCode, stdout, stderr } = await run;
    expect(exitCode).toBe(4);
    expect(`${stdout}${stderr}`).toMatch(
      /Ray cluster 'ray' failed on \S+: Ray's raylet \[exit code=-9\] ended unexpectedly/,
    );
    expect(logOf(workspace)).toMatch(
      /error\[RUN1061\].*\n(.*\n)*tune: 1 interrupted|tune: 1 interrupted.*\n(.*\n)*error\[RUN1061\]/,
    );
    await expectNothingLeft(workspace.path('out'));
    expect(rayFolders()).toEqual([]);
  });

  test('ends when all of the job but Ray is killed at once', async () => {
    const workspace = workspaceOf(`cpusPerNode: 2, python: '${python}', ${small}`);
    const run = start(workspace);
    await began(workspace, run);
    run.kill('SIGKILL');
    for (const { pid, command } of processesOf(workspace.path('out'))) {
      if (/ray-guard|^cat/.test(command) || !/simwright\.mjs|\.sh\b|driver/.test(command)) continue;
      process.kill(pid, 'SIGKILL');
    }
    await run;
    // Only what `down` would have removed is left of the job: its folder and locks.
    await waitUntil('no process is left', () => processesOf(workspace.path('out')).length === 0);
    await waitUntil('no folder of Ray is left', () => rayFolders().length === 0);
  });
});
