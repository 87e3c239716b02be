import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Store } from '../../../src/ir/index.js';
import { modelFile } from '../orchestrator/support/start.js';
import { useBundle } from '../support/bundle.js';
import { JobFolder } from '../support/job-folder.js';
import { makePlan } from '../support/make-plan.js';
import { mayMount, Tmpfs } from '../support/tmpfs.js';
import { waitUntil } from '../support/wait-until.js';
import { lacks } from './support/lacks.js';
import { builtModule } from './support/servers.js';
import { double, statsOf, steps, storeFolder } from './support/store-jobs.js';

const bundle = useBundle();

describe.skipIf(lacks !== '')(`a store on a server${lacks === '' ? '' : ` (skipped: there is no ${lacks})`}`, () => {
  let module: string;
  beforeAll(async () => {
    module = await builtModule();
  });

  const folderWith = (store: Partial<Store>, sim: string, analysis?: string) =>
    storeFolder(bundle(), module, store, sim, analysis);
  const logOf = (folder: JobFolder) => {
    const name = readdirSync(folder.path('run/stores/store')).find(
      (file) => file.endsWith('.log') && file !== 'launch.log',
    );
    return name === undefined ? '' : folder.read(`run/stores/store/${name}`);
  };
  const run = "await put('x', 1, 2);\nawait client.runModel('double', ['x'], ['y']);\nconsole.log(await read('y'));";

  test.each<[string, Partial<Store>]>([
    ['over TCP', {}],
    ['colocated, over TCP', { kind: 'colocated' }],
    [
      'colocated, over a Unix socket',
      { kind: 'colocated', transport: { kind: 'uds', permissions: 0o700 } } as Partial<Store>,
    ],
  ])('%s runs preloaded models, warmed up, and leaves nothing', async (_name, store) => {
    const folder = folderWith({ ...store, mlModels: [double] }, run);
    const job = folder.start(steps());
    expect(await job.ended).toMatchObject({ code: 0, stderr: '' });
    expect(folder.read('run/sim/sim.out')).toBe('2,4\n');
    expect(logOf(folder)).toContain("info ML model 'double' is loaded and warmed up");
    // The application ends as soon as it has its result, and the store then.
    expect(statsOf(folder)).toMatchObject({ inferences: 1, keys: 3 });
    await folder.expectNothingLeft(job);
  });

  test('is saved at the end of its job while something that can read it has not completed, and restored', async () => {
    const folder = folderWith(
      { mlModels: [double] },
      `${run}\nawait put('kept', 42);\nconsole.log('ran');`,
      "console.log(await read('kept'));\nif (!existsSync('../mended')) process.exit(3);",
    );
    expect(await folder.run(steps())).toMatchObject({ code: 3, stderr: '' });
    const { checkpoints } = JSON.parse(folder.read('run/stores/store/saved.json'));
    expect(checkpoints).toMatchObject([{ stores: [{ nodes: 1, whole: true }] }]);
    folder.write('run/mended', '');
    expect(await folder.run(steps())).toMatchObject({ code: 0, stderr: '' });
    expect(folder.read('run/analysis/analysis.out')).toBe('42\n');
    expect(folder.read('run/sim/sim.out')).toBe('2,4\nran\n');
  });

  test.skipIf(!mayMount)(
    `on a full disk: an error line tells why, and the old checkpoint stays and counts${mayMount ? '' : ' (skipped: a tmpfs can be mounted by root alone)'}`,
    async () => {
      const disk = new Tmpfs('1m');
      try {
        const grow = `if (existsSync('../grow')) {
  const { randomFillSync } = await import('node:crypto');
  await client.putTensor('noise', tensor(randomFillSync(new Uint8Array(4_000_000)), [4_000_000]));
}`;
        const folder = folderWith(
          {},
          "await put('x', 42);\nconsole.log('ran');",
          `console.log(await read('x'));\n${grow}\nprocess.exit(3);`,
        );
        mkdirSync(`${disk.folder}/store`);
        folder.write('run/stores/README', '');
        symlinkSync(`${disk.folder}/store`, folder.path('run/stores/store'));
        expect(await folder.run(steps())).toMatchObject({ code: 3, stderr: '' });
        const before = folder.read('run/stores/store/saved.json');
        folder.write('run/grow', '');
        const end = await folder.run(steps());
        expect(end.code).toBe(3);
        expect(end.stderr).toMatch(
          /^simwright: store 'store' was not saved: the checkpoint \S+ could not be written: .*No space left on device; members whose data others still need run again with the next job\n$/,
        );
        // The old one still counts: the simulation has put it there, and does not run again.
        expect(folder.read('run/stores/store/saved.json')).toBe(before);
        rmSync(folder.path('run/grow'));
        expect((await folder.run(steps())).code).toBe(3);
        expect(folder.read('run/analysis/analysis.out')).toBe('42\n');
        expect(folder.read('run/sim/sim.out')).toBe('ran\n');
      } finally {
        disk.remove();
      }
    },
  );

  test('goes on when its AI layer is killed: data are untouched, and the next run succeeds', async () => {
    const folder = folderWith({ mlModels: [double] }, `${run}\nawait until('killed');\n${run}`);
    const job = folder.start(steps());
    await waitUntil(
      'it has run a model',
      () => existsSync(folder.path('run/sim/sim.out')) && folder.read('run/sim/sim.out') !== '',
    );
    folder.killRuntime('ai-worker');
    // A run that reaches the old process before the kernel has ended it would rightly get its error.
    const notice = 'warn the AI layer died (SIGKILL) and is started again';
    await waitUntil('its end is noticed', () => logOf(folder).includes(notice));
    folder.write('run/killed', '');
    expect(await job.ended).toMatchObject({ code: 0, stderr: '' });
    expect(folder.read('run/sim/sim.out')).toBe('2,4\n2,4\n');
    await folder.expectNothingLeft(job);
  });

  test('is reported dead when its server is killed', async () => {
    const folder = folderWith({}, "await put('x', 1);\nconsole.log('put');\nawait until('never');");
    const job = folder.start(steps());
    await waitUntil(
      'it has begun',
      () => existsSync(folder.path('run/sim/sim.out')) && folder.read('run/sim/sim.out') !== '',
    );
    for (const { pid, command } of folder.processes())
      if (/(redis|valkey)-server/.test(command)) process.kill(pid, 'SIGKILL');
    const end = await job.ended;
    expect(end.code).not.toBe(0);
    expect(end.stderr).toContain("error[RUN1005]: store 'store' died");
    expect(logOf(folder)).toContain('error the server died (SIGKILL)');
    await folder.expectNothingLeft(job);
  });

  test('leaves no server behind when the process that holds it is killed', async () => {
    const folder = folderWith({}, "console.log('there');\nawait until('never');");
    const job = folder.start(steps());
    await waitUntil('it has begun', () => existsSync(folder.path('run/sim/sim.out')));
    folder.killRuntime('store');
    expect((await job.ended).code).not.toBe(0);
    await folder.expectNothingLeft(job);
  });

  test('without an AI layer keeps tensors and refuses models', async () => {
    const folder = folderWith(
      { engine: 'data' },
      "await put('x', 1, 2);\nconsole.log(await read('x'));\nawait client.runModel('m', ['x'], ['y']).catch((error) => console.log(error.message));",
    );
    const job = folder.start(steps());
    expect(await job.ended).toMatchObject({ code: 0, stderr: '' });
    expect(folder.read('run/sim/sim.out')).toMatch(/^1,2\n.*this store runs no models and scripts/);
    await folder.expectNothingLeft(job);
  });

  test('beside others of other engines and kinds, each under its suffix', async () => {
    const stores = [
      { name: 'plain' },
      { name: 'fast', engine: 'redis', suffix: 'fast' },
      { name: 'bulk', engine: 'data', suffix: 'bulk' },
      {
        name: 'near',
        kind: 'colocated',
        engine: 'redis',
        suffix: 'near',
        transport: { kind: 'uds', permissions: 0o700 },
      },
    ] as unknown as Store[];
    const names = stores.map(({ name }) => name);
    const folder = new JobFolder(
      bundle(),
      makePlan(
        [
          { name: 'sim', stores: names, keyPrefixing: true },
          { name: 'analysis', stores: names, incoming: ['sim'], after: [{ name: 'sim', event: 'completed' }] },
        ],
        stores.map((store) => (store.name === 'bulk' ? store : { ...store, mlModels: [double] })),
      ),
    );
    const all = (body: string) => `
import { Client, tensor } from 'simwright/client';
for (const [index, suffix] of ['', 'fast', 'bulk', 'near'].entries()) {
  const client = await Client.connect({ suffix });
  ${body}
  await client.close();
}`;
    folder.write('run/sim.mjs', all("await client.putTensor('x', tensor(Float32Array.of(index, 1), [1, 2]));"));
    folder.write(
      'run/analysis.mjs',
      all(`
  client.useTensorPrefix(false);
  if (suffix !== 'bulk') await client.runModel('double', ['sim.x'], ['y']);
  const read = async (key) => [...(await client.getTensor(key)).data].join();
  console.log(suffix, await read('sim.x'), suffix === 'bulk' ? '' : await read('y'));`),
    );
    folder.write('artifacts/double.onnx', modelFile('double'));
    folder.makeFolder('runtime/engine');
    copyFileSync(module, folder.path('runtime/engine/simwright.so'));
    const suffixes = ['', '_fast', '_bulk', '_near'];
    const variables = suffixes.map((suffix) => `$SR_DB_TYPE${suffix} $SSKEYIN${suffix} $SSKEYOUT${suffix}`).join(' | ');
    const job = folder.start(`
${names.map((name) => `runtime up ${name}`).join('\n')}
runtime launch sim -- sh -c 'echo "${variables}"; exec node ../sim.mjs' & launched+=($!)
runtime launch analysis -- node ../analysis.mjs & launched+=($!)`);
    expect(await job.ended).toMatchObject({ code: 0, stderr: '' });
    expect(folder.read('run/sim/sim.out')).toMatch(
      /^Standalone +sim \| Standalone +sim \| Standalone +sim \| Standalone +sim\n$/,
    );
    expect(folder.read('run/analysis/analysis.out')).toBe(' 0,1 0,2\nfast 1,1 2,2\nbulk 2,1 \nnear 3,1 6,2\n');
    await folder.expectNothingLeft(job);
  });

  test('refuses to start without its module, and says where it looked', async () => {
    const folder = folderWith({}, '');
    const end = await folder.run('rm -r runtime/engine\nruntime up store', { HOME: '/nowhere', XDG_DATA_HOME: '' });
    expect(end.code).toBe(1);
    expect(end.stderr).toContain('error[RUN1040]: the module simwright.so is in none of these folders:');
    expect(end.stderr).toContain('/nowhere/.local/share/simwright/engine');
  });

  test('refuses a server that is too old', async () => {
    const folder = folderWith({}, '');
    folder.write(
      'bin/redis-server',
      "#!/bin/sh\necho 'Redis server v=6.2.14 sha=0:0 malloc=libc bits=64 build=0'\n",
      0o755,
    );
    const end = await folder.run('runtime up store', { SIMWRIGHT_ENGINE_SERVER: folder.path('bin/redis-server') });
    expect(end.code).toBe(1);
    expect(end.stderr).toContain('error[RUN1040]: the only servers here are too old:');
    expect(end.stderr).toContain('is Redis 6.2.14');
  });

  test('refuses a module that is none', async () => {
    const folder = folderWith({}, '');
    folder.write('runtime/engine/simwright.so', 'no module', 0o755);
    const end = await folder.run('runtime up store');
    expect(end.code).toBe(1);
    expect(end.stderr).toMatch(/error\[RUN1004\]: \S+ did not start \(exit code 1\)/);
    expect(end.stderr).toContain('simwright.so');
  });
});
