import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Store } from '../../src/ir/index.js';
import { useBundle } from './support/bundle.js';
import { JobFolder } from './support/job-folder.js';
import { makeModel, makePlan } from './support/make-plan.js';
import { waitUntil } from './support/wait-until.js';

const bundle = useBundle();

const client = (body: string) => `
import { Client, tensor } from 'simwright/client';
import { existsSync } from 'node:fs';
const go = async (name) => { while (!existsSync('../' + name)) await new Promise((resolve) => setTimeout(resolve, 20)); };
const client = await Client.connect();
${body}
await client.close();
`;

const saveAndStay = client(`
await client.putTensor('flow', tensor(Float64Array.of(1, 2, 3), [3]));
await client.save();
console.log('saved');
await go('go');
console.log((await client.tensorExists('flow')) ? (await client.getTensor('flow')).data.join() : 'empty');`);
const look = client(
  `console.log((await client.tensorExists('flow')) ? (await client.getTensor('flow')).data.join() : 'empty');`,
);

function folderWith(store: Partial<Store> = {}, scripts: Record<string, string> = {}): JobFolder {
  const plan = makePlan([{ name: 'solver', stores: ['store'] }], [{ name: 'store', ...store } as Store]);
  const folder = new JobFolder(bundle(), plan);
  for (const [name, text] of Object.entries({ 'stay.mjs': saveAndStay, 'look.mjs': look, ...scripts })) {
    folder.write(`run/${name}`, text);
  }
  return folder;
}

const steps = (script: string) => `runtime up store\nruntime launch solver -- node ../${script} & launched+=($!)`;
const outputOf = (folder: JobFolder) =>
  existsSync(folder.path('run/solver/solver.out')) ? folder.read('run/solver/solver.out') : '';
const storeLog = (folder: JobFolder) => {
  const name = readdirSync(folder.path('run/stores/store')).find(
    (file) => file.endsWith('.log') && file !== 'launch.log',
  );
  return name === undefined ? '' : folder.read(`run/stores/store/${name}`);
};

async function killStore(folder: JobFolder): Promise<void> {
  await waitUntil('the store runs', () => folder.runtimeProcesses('store').length > 0);
  folder.killRuntime('store');
}

describe('a store that is killed', () => {
  const model = makeModel({ name: 'net', artifact: 'artifacts/net.onnx' });

  test('before it has begun', async () => {
    const folder = folderWith();
    const job = folder.start(`runtime up store -- sh -c 'touch run/begun; until [ -e run/go ]; do sleep 0.02; done' -`);
    await waitUntil('its launcher runs', () => existsSync(folder.path('run/begun')));
    const launchers = folder.processes().filter(({ command }) => command.startsWith('sh -c touch'));
    for (const { pid } of launchers) process.kill(pid, 'SIGKILL');
    const end = await job.ended;
    expect(end.code).toBe(1);
    expect(end.stderr).toContain("error[RUN1004]: store 'store' did not start (SIGKILL)");
    await folder.expectNothingLeft(job);
  });

  test('while it loads its models', async () => {
    const folder = folderWith({ mlModels: [model] });
    folder.write('artifacts/README', '');
    // Whoever reads a pipe into which nobody writes waits: a model that takes for ever to load.
    execFileSync('mkfifo', [folder.path(model.artifact)]);
    const job = folder.start('runtime up store');
    let pipe = 0;
    await waitUntil('the store reads its model', () => {
      try {
        // Possible once there is a reader.
        pipe = openSync(folder.path(model.artifact), constants.O_WRONLY | constants.O_NONBLOCK);
        return true;
      } catch {
        return false;
      }
    });
    await killStore(folder);
    const end = await job.ended;
    closeSync(pipe);
    expect(end.code).toBe(1);
    expect(end.stderr).toContain("error[RUN1004]: store 'store' did not start (SIGKILL)");
    expect(existsSync(folder.path('run/stores/store/address.json'))).toBe(false);
    await folder.expectNothingLeft(job);
  });

  test('with its supervisor leaves nothing after down', async () => {
    const folder = folderWith({ kind: 'colocated' });
    const socket = folder.path('mine.sock');
    const plan = makePlan(
      [{ name: 'solver', stores: ['store'] }],
      [{ name: 'store', kind: 'colocated', transport: { kind: 'uds', socket, permissions: 0o700 } }],
    );
    folder.write('plan.json', JSON.stringify(plan));
    const job = folder.start('runtime up store\ntouch run/up\nuntil [ -e run/go ]; do sleep 0.02; done');
    await waitUntil('it is up', () => existsSync(folder.path('run/up')));
    // The guard of its socket first, which removes it; then the store, which ends in order once its supervisor has gone.
    const guards = folder.processes().filter(({ command }) => command.includes('simwright-socket'));
    const supervisors = folder.runtimeProcesses('supervise');
    for (const pid of supervisors) process.kill(pid, 'SIGSTOP');
    const pids = [...guards.map(({ pid }) => pid), ...folder.runtimeProcesses('store'), ...supervisors];
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    expect(existsSync(socket)).toBe(true);
    folder.write('run/stores/store/checkpoint.tmp', 'half');
    folder.write('run/go', '');
    expect((await job.ended).code).toBe(0);
    expect(existsSync(socket)).toBe(false);
    expect(existsSync(folder.path('run/stores/store/address.json'))).toBe(false);
    await folder.expectNothingLeft(job);
  });
});

describe('a store that is to be started again', () => {
  test('comes back at its address with its checkpoint; applications are not told', async () => {
    const folder = folderWith({ kind: 'standalone', restart: true });
    const job = folder.start(steps('stay.mjs'));
    await waitUntil('it has saved', () => outputOf(folder) === 'saved\n');
    const address = () => folder.read('run/stores/store/address.json');
    const before = address();
    await killStore(folder);
    await waitUntil('another store is there', () => ![JSON.parse(before).id, ''].includes(JSON.parse(address()).id));
    const places = [before, address()].map((text) => JSON.parse(text).nodes[0].addresses);
    expect(places[0]).toEqual(places[1]);
    folder.write('run/go', '');
    expect(await job.ended).toMatchObject({ code: 0, stderr: '' });
    expect(outputOf(folder)).toBe('saved\n1,2,3\n');
    expect(folder.read('run/status/main.supervisor.log')).toContain("store 'store' is started again");
    await folder.expectNothingLeft(job);
  });

  test('is given up when it does not stay', async () => {
    const folder = folderWith({ kind: 'standalone', restart: true });
    const job = folder.start(`
runtime up store -- sh -c '[ ! -e run/broken ] || { echo broken >&2; exit 9; }; exec "$@"' -
runtime launch solver -- node ../stay.mjs & launched+=($!)`);
    await waitUntil('it has saved', () => outputOf(folder) === 'saved\n');
    folder.write('run/broken', '');
    await killStore(folder);
    const end = await job.ended;
    expect(end.code).toBe(143);
    expect(end.stderr).toContain(
      "error[RUN1005]: store 'store' was started again too often; at last: store 'store' did not start (exit code 9)",
    );
    expect(folder.states('solver')).toEqual(['interrupted']);
    const starts = folder.read('run/status/main.supervisor.log').match(/is started again/g);
    expect(starts).toHaveLength(5);
    await folder.expectNothingLeft(job);
  });
});

describe('what a store keeps', () => {
  test('a checkpoint survives kill -9 of the whole job, and --fresh begins without', async () => {
    const folder = folderWith();
    const job = folder.start(steps('stay.mjs'));
    await waitUntil('it has saved', () => outputOf(folder) === 'saved\n');
    folder.killAll();
    await job.ended;
    const again = await folder.run(steps('look.mjs'));
    expect(again.code).toBe(0);
    expect(outputOf(folder)).toBe('1,2,3\n');
    const fresh = await folder.run(steps('look.mjs'), { SIMWRIGHT_FRESH: '1' });
    expect(fresh.code).toBe(0);
    expect(outputOf(folder)).toBe('empty\n');
  });

  test('with checkpointSeconds it saves what it holds when its job ends', async () => {
    const folder = folderWith(
      { kind: 'standalone', checkpointSeconds: 3600 },
      {
        'put.mjs': client("await client.putTensor('flow', tensor(Float64Array.of(4, 5), [2]));\nprocess.exitCode = 1;"),
      },
    );
    expect((await folder.run(steps('put.mjs'))).code).toBe(1);
    expect(existsSync(folder.path('run/stores/store/checkpoint'))).toBe(true);
    expect((await folder.run(steps('look.mjs'))).code).toBe(0);
    expect(outputOf(folder)).toBe('4,5\n');
  });

  test('tensors by their patterns, as files that say which', async () => {
    const script = client(`
const one = tensor(Float32Array.of(0.5), [1]);
for (const key of ['a.profile', 'sub/b.profile', '.hidden.profile', 'other', 'x'.repeat(300) + '.profile']) await client.putTensor(key, one);`);
    const folder = folderWith({ kind: 'standalone', saveAtEnd: ['*.profile', 'a*'] }, { 'put.mjs': script });
    expect((await folder.run(steps('put.mjs'))).code).toBe(0);
    expect(readdirSync(folder.path('run/stores/store/saved')).sort()).toEqual([
      '%2Ehidden.profile.npy',
      'a.profile.npy',
      'sub%2Fb.profile.npy',
    ]);
    expect(storeLog(folder)).toContain('was not saved: its name is too long for a file');
    expect(storeLog(folder)).toMatch(/saved 3 tensors of \S+ in /);
  });

  test('what it has room for, if it evicts', async () => {
    const script = client(`
for (let i = 0; i < 40; i++) await client.putTensor('t' + i, tensor(new Float64Array(6000), [6000]));
console.log(await client.tensorExists('t39'), await client.tensorExists('t0'));`);
    const folder = folderWith(
      { kind: 'standalone', maxMemoryMiB: 1, evictionPolicy: 'allkeys-lru' },
      { 'put.mjs': script },
    );
    expect((await folder.run(steps('put.mjs'))).code).toBe(0);
    expect(outputOf(folder)).toBe('true false\n');
  });
});

test('scripts are there under the names of copies for several GPUs; which Python runs them is said', async () => {
  const script = { name: 'ops', artifact: 'artifacts/ops.py', device: 'GPU', devicesPerNode: 2, firstDevice: 1 };
  const folder = folderWith(
    { scripts: [script, { ...script, name: 'one', device: 'CPU', devicesPerNode: 1, firstDevice: 0 }] },
    {
      'scripts.mjs': client(`
for (const name of ['ops', 'ops.GPU:1', 'ops.GPU:2', 'one']) console.log((await client.getScript(name)).trim());`),
    },
  );
  folder.write('artifacts/ops.py', 'def f(x): return x\n');
  const end = await folder.run(steps('scripts.mjs'), {
    SIMWRIGHT_MAP_DEVICE: 'GPU=CPU',
    SIMWRIGHT_PYTHON: '/no/python',
  });
  expect(end).toMatchObject({ code: 0, stderr: '' });
  expect(end.stdout).toContain('simwright: scripts run without PyTorch: there is no /no/python\n');
  expect(outputOf(folder)).toBe('def f(x): return x\n'.repeat(4));
  expect(storeLog(folder)).toContain("info script 'ops.GPU:2' is loaded; the shapes of its inputs are not known");
});

describe('what a store cannot run', () => {
  test.each<[string, Partial<Store>, string]>([
    ['several shards', { kind: 'standalone', shards: 3 }, 'a cluster of 3 shards of the embedded engine'],
    [
      'an interface on several nodes',
      { kind: 'colocated', nodes: 2, transport: { kind: 'tcp', port: 0, interface: 'ib0' } },
      "a colocated store on interface 'ib0' of 2 nodes",
    ],
  ])('%s is refused', async (_what, store, message) => {
    const end = await folderWith(store).run('runtime up store');
    expect(end.code).toBe(1);
    expect(end.stderr).toContain(`error[RUN1011]: store 'store': ${message} is not there yet`);
  });
});
