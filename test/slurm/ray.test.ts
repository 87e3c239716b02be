import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa, execaSync } from 'execa';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { python, ray, skipped, small } from '../helpers/ray.js';
import type { Workspace } from '../helpers/workspace.js';
import { waitUntil } from '../runtime/support/wait-until.js';
import { useCluster, whyNoSlurm } from './cluster.js';
import { compileForSlurm, log, nothingLeft, sharedWorkspace } from './workspaces.js';

const why = whyNoSlurm();

/** A driver whose tasks hold each node of the cluster until all have met, and read from the store; it stays until a file `go` appears. */
const driver = `
import os, sys, time
import numpy as np
import ray
from smartredis import Client

Client(cluster=False).put_tensor("x", np.arange(4.0))
ray.init()

@ray.remote(num_cpus=2)
def visit():
    import socket
    total = float(Client(cluster=False).get_tensor("x").sum())
    return socket.gethostname(), total

def spread():
    from ray.util.placement_group import placement_group
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy as In
    group = placement_group([{"CPU": 2}] * int(sys.argv[1]), strategy="STRICT_SPREAD")
    ray.get(group.ready())
    return ray.get([visit.options(scheduling_strategy=In(group, i)).remote() for i in range(int(sys.argv[1]))])

print("visited", *sorted("{}={}".format(*one) for one in spread()), flush=True)
while not os.path.exists("go"):
    time.sleep(0.1)
`;

/** Prefix that runs a command as another user of this machine. */
const asStranger = ['setpriv', '--reuid=daemon', '--regid=daemon', '--clear-groups'] as const;

/** The folder of Ray's packages, or one that links to them where other users can read, if they cannot read the former. */
function packagesForAll(): string {
  const own = dirname(execaSync(python, ['-c', 'import ray; print(ray.__path__[0])']).stdout);
  const [setpriv, ...words] = asStranger;
  if (execaSync(setpriv, [...words, 'test', '-r', `${own}/ray/__init__.py`], { reject: false }).exitCode === 0)
    return own;
  const folder = mkdtempSync('/var/tmp/simwright-ray-');
  chmodSync(folder, 0o755);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  // Links cost nothing, but not everywhere can there be some.
  const packages = join(folder, 'packages');
  if (execaSync('cp', ['-al', own, packages], { reject: false }).exitCode !== 0) execaSync('cp', ['-a', own, packages]);
  return packages;
}

/** Ray for the system's own Python, which every user can run; where the one of the tests comes from, they may not get to. */
const packages = `PYTHONPATH=${python === '' || why !== '' ? '' : packagesForAll()}`;

/** A driver without a store: says where a task runs, and as whom. */
const plain = `
import os, time
import ray

ray.init()

@ray.remote
def visit():
    import socket
    return socket.gethostname(), os.getuid()

print("visited", *ray.get(visit.remote()), flush=True)
while not os.path.exists("go"):
    time.sleep(0.1)
`;

vi.setConfig({ testTimeout: 400_000 });

describe.skipIf(why !== '' || 'missing' in ray)(
  `Ray on a real Slurm${why === '' ? skipped : ` (skipped: ${why})`}`,
  () => {
    const cluster = useCluster();

    async function compiled(nodes: number, further = ''): Promise<Workspace> {
      const workspace = sharedWorkspace();
      workspace.write('driver.py', driver);
      workspace.workflow(`experiment('e')
  .batch({ walltime: '00:08:00', preamble: ['export SR_LOG_LEVEL=QUIET SR_LOG_FILE=/dev/null'] })
  .orchestrator()
  .rayCluster('ray', { nodes: ${nodes}, cpusPerNode: 2, python: '${python}', ${small} })
  .model('tune', command('${python}', 'driver.py', '${nodes}'))
    .attach({ copy: 'driver.py' })
    .usesRay('ray')
    ${further}`);
      await compileForSlurm(workspace);
      return workspace;
    }

    /** A cluster of one CPU on the first node, in half of that node. */
    async function alone(): Promise<Workspace> {
      const workspace = sharedWorkspace();
      workspace.write('plain.py', plain);
      workspace.workflow(`experiment('e')
  .batch({ walltime: '00:08:00', directives: { set: { '--nodelist': 'node1' } } })
  .rayCluster('ray', { cpusPerNode: 1, python: '/usr/bin/python3', ${small}, setup: { commands: 'export ${packages}' } })
  .model('tune', command('/usr/bin/python3', 'plain.py'))
    .setup({ commands: 'export ${packages}' })
    .attach({ copy: 'plain.py' })
    .usesRay('ray')
    .sharesNodesWith('ray')`);
      await compileForSlurm(workspace);
      return workspace;
    }

    const visited = (workspace: Workspace) =>
      workspace.lines('out/run/tune', 'tune.out').find((line) => line.startsWith('visited'));
    const state = (workspace: Workspace) =>
      [
        ...workspace.lines('out/run/tune', 'tune.err'),
        ...workspace.lines('out/run/ray', 'ray.err'),
        ...workspace.files('out/logs').flatMap((name) => workspace.lines('out/logs', name)),
      ].join('\n');
    const untilVisited = (workspace: Workspace) =>
      waitUntil('the tasks have run', () => visited(workspace) !== undefined || state(workspace), 60);

    /** Temporary folders of Ray on all nodes, which have a /tmp each. */
    const folders = async () => {
      const found = [1, 2, 3, 4].map((i) =>
        cluster().on(`node${i}`, 'sh', '-c', 'ls -d /tmp/swr-* 2>/dev/null || true'),
      );
      return (await Promise.all(found)).join('');
    };

    test('three nodes run tasks on hosts of their own, which read from the store; then a node fails', async () => {
      const workspace = await compiled(3, `.sharesNodesWith('ray')`);
      const { e: id = '' } = await cluster().submit(workspace.path('out'));
      await untilVisited(workspace);
      const hosts = visited(workspace)?.split(' ').slice(1) ?? [];
      expect(hosts.map((one) => one.split('=')[1])).toEqual(['6.0', '6.0', '6.0']);
      expect(new Set(hosts).size).toBe(3);
      const { hosts: ofCluster } = JSON.parse(workspace.read('out/run/clusters/ray/cluster.json'));
      expect(new Set(ofCluster)).toEqual(new Set(hosts.map((one) => one.split('=')[0])));

      // The program on the last node is killed, and nothing contains what it has started: Ray and all others end nevertheless.
      await cluster().on(ofCluster[2], 'pkill', '-KILL', '-f', 'simwright.mjs ray-node');
      const [record] = await cluster().ended(id);
      expect(record?.state).toBe('FAILED');
      await nothingLeft(workspace.path('out'));
      await waitUntil('no folder of Ray is left', async () => (await folders()) === '');
      expect(log(workspace, `e-${id}.out`)).toContain('error[RUN1061]');
    });

    test('a cluster in a job of its own serves a user in another job', async () => {
      const workspace = sharedWorkspace();
      workspace.write('once.py', plain.slice(0, plain.indexOf('while not')));
      workspace.workflow(`experiment('e')
  .rayCluster('ray', { cpusPerNode: 2, python: '${python}', ${small} })
    .batch({ walltime: '00:08:00' })
  .model('tune', command('${python}', 'once.py'))
    .batch({ walltime: '00:08:00' })
    .attach({ copy: 'once.py' })
    .usesRay('ray')`);
      await compileForSlurm(workspace);
      const ids = await cluster().submit(workspace.path('out'));
      expect(Object.keys(ids).sort()).toEqual(['ray', 'tune']);
      for (const id of Object.values(ids))
        expect((await cluster().ended(id))[0]?.state, state(workspace)).toBe('COMPLETED');
      expect(visited(workspace)).toMatch(/^visited node\d 0$/);
      await nothingLeft(workspace.path('out'));
    });

    test('clusters of two users run on one node at the same time', async () => {
      const own = await alone();
      const strange = await alone();
      await execa('chown', ['-R', 'daemon:daemon', strange.cwd]);
      const submit = async (workspace: Workspace, words: readonly string[]) => {
        const [program = '', ...rest] = [...words, workspace.path('out/submit.sh')];
        const { stdout } = await execa(program, rest, { env: { ...cluster().env, HOME: '/nonexistent' }, cwd: '/' });
        return stdout.split('\t')[1] ?? '';
      };
      const ids = [await submit(own, []), await submit(strange, asStranger)];
      await Promise.all([own, strange].map(untilVisited));
      expect([own, strange].map(visited)).toEqual(['visited node1 0', 'visited node1 1']);
      for (const workspace of [own, strange]) workspace.write('out/run/tune/go', '');
      for (const id of ids) expect((await cluster().ended(id))[0]?.state).toBe('COMPLETED');
      for (const workspace of [own, strange]) await nothingLeft(workspace.path('out'));
      await waitUntil('no folder of Ray is left', async () => (await folders()) === '');
    });
  },
);
