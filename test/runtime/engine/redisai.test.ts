import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sourceFolder } from '../../../src/cli/engine-install/build-module.js';
import type { Store } from '../../../src/ir/index.js';
import { isNewEnough } from '../../../src/runtime/engine/find-engine.js';
import { findRedisAi } from '../../../src/runtime/engine/redisai.js';
import { setAsNobody } from '../orchestrator/support/peers.js';
import { modelFile } from '../orchestrator/support/start.js';
import { useBundle } from '../support/bundle.js';
import { JobFolder } from '../support/job-folder.js';
import { makeModel, makePlan } from '../support/make-plan.js';
import { lackOfModule, orSkipped } from './support/lacks.js';
import { builtModule, type StartedServer, servers, startOnServer } from './support/servers.js';

/** A true RedisAI with its ONNX backend, where somebody has built one: it takes the place of the stand-in. */
const trueModule = process.env['SIMWRIGHT_TEST_REDISAI'];
const server = servers.find((one) => one.kind === 'redis' && isNewEnough(one));
const lacks = lackOfModule({ 'a redis-server': server });
const bundle = useBundle();

describe.skipIf(lacks !== '')(orSkipped('a store with RedisAI', lacks), () => {
  let folder: string;
  let module: string;
  let backends: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'simwright-redisai-'));
    module = trueModule ?? join(folder, 'redisai.so');
    backends = join(dirname(module), 'backends');
    if (trueModule !== undefined) return;
    const source = fileURLToPath(new URL('support/redisai.c', import.meta.url));
    const flags = ['-std=c11', '-D_GNU_SOURCE', '-fPIC', '-shared', '-fvisibility=hidden', '-w', '-I', sourceFolder()];
    execFileSync('cc', [...flags, '-o', module, source]);
    mkdirSync(join(backends, 'redisai_onnxruntime'), { recursive: true });
    writeFileSync(join(backends, 'redisai_onnxruntime/redisai_onnxruntime.so'), '');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  describe('by itself', () => {
    let started: StartedServer;
    let redis: Redis;
    beforeAll(async () => {
      if (server === undefined) return;
      const options = { threadsPerQueue: 2, interOpThreads: 3, intraOpThreads: 1, executionTimeoutSeconds: 7 };
      started = await startOnServer(server, options, false, { module, backends });
      redis = new Redis(started.socketPath);
    });
    afterAll(async () => {
      redis.disconnect();
      await started.stop();
    });

    test('gets its options as SmartSim gives them', async () => {
      const given = {
        threads_per_queue: 2,
        inter_op_parallelism: 3,
        intra_op_parallelism: 1,
        model_execution_timeout: 7000,
      };
      if (trueModule === undefined) {
        const words = Object.entries(given).map(([name, value]) => `${name.toUpperCase()} ${value}`);
        expect(await redis.call('AI.CONFIG', 'GET', 'given')).toBe([`BACKENDSPATH ${backends}`, ...words].join(' '));
        return;
      }
      const info = await redis.info('modules');
      for (const [name, value] of Object.entries(given)) expect(info).toContain(`ai_${name}:${value}\r\n`);
      expect(await redis.call('AI.CONFIG', 'GET', 'BACKENDSPATH')).toBe(backends);
    });

    test('lets clients ask for its settings, and load no library', async () => {
      expect(await redis.call('AI.CONFIG', 'GET', 'MODEL_CHUNK_SIZE')).toBe(535822336);
      expect(await redis.call('AI.CONFIG', 'MODEL_CHUNK_SIZE', '535822336')).toBe('OK');
      for (const words of [
        ['AI.CONFIG', 'LOADBACKEND', 'ONNX', '/tmp/library.so'],
        ['AI.CONFIG', 'BACKENDSPATH', '/tmp'],
        ['MODULE', 'LOAD', '/tmp/library.so'],
        ['SHUTDOWN'],
      ]) {
        const [command = '', ...rest] = words;
        await expect(redis.call(command, ...rest)).rejects.toThrow(/^NOPERM|^ERR MODULE command not allowed/);
      }
    });

    test.skipIf(process.getuid?.() !== 0)('refuses processes of other users before anything is run', async () => {
      expect(await setAsNobody(started.port)).toContain('-DENIED only processes of the user');
      expect(await redis.dbsize()).toBe(0);
      await expect.poll(() => started.store.stats().refused).toBe(1);
    });

    test('counts runs of models', async () => {
      await redis.call('AI.MODELSTORE', 'double', 'ONNX', 'CPU', 'BLOB', modelFile('double'));
      if (trueModule === undefined) await redis.set('x', 'any');
      else await redis.call('AI.TENSORSET', 'x', 'FLOAT', '1', '2', 'VALUES', '1', '2');
      const run = ['double', 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y'];
      for (let count = 0; count < 3; count += 1) expect(await redis.call('AI.MODELEXECUTE', ...run)).toBe('OK');
      await expect(redis.call('AI.MODELEXECUTE', 'double')).rejects.toThrow(/wrong number/);
      await expect.poll(() => started.store.stats()).toMatchObject({ inferences: 3, keys: 3, workers: [] });
    });
  });

  const entities = [
    { name: 'sim', stores: ['store'] },
    { name: 'later', stores: ['store'] },
  ];
  const double = makeModel({ name: 'double', artifact: 'artifacts/double.onnx' });

  /** A job with a store of RedisAI, which the site names. */
  async function jobFolder(store: Partial<Store>, redisai?: object): Promise<JobFolder> {
    const stores = [{ name: 'store', engine: 'redisai', mlModels: [double], ...store } as Store];
    const made = new JobFolder(bundle(), {
      ...makePlan(
        [
          { ...entities[0], stores: ['store'] } as never,
          { ...entities[1], after: [{ name: 'sim', event: 'completed' }] } as never,
        ],
        stores,
      ),
      redisai: { module, server: server?.path, ...redisai } as never,
    });
    made.write(
      'run/sim.mjs',
      `import { Client, tensor } from 'simwright/client';
      import { existsSync } from 'node:fs';
      const client = await Client.connect();
      const key = process.argv[2];
      const names = ['a', 'b', 'c', 'd'];
      if (key === 'y') {
        for (const name of names) {
          await client.putTensor(name, tensor(Float32Array.of(1, 2), [1, 2]));
          await client.runModel('double', [name], ['y' + name]);
        }
      }
      for (const name of names) {
        const there = await client.tensorExists('y' + name);
        console.log(there && [...(await client.getTensor('y' + name)).data].join());
      }
      await client.close();
      if (key !== 'y' && !existsSync('../mended')) process.exit(3);
      `,
    );
    made.write('artifacts/double.onnx', modelFile('double'));
    made.makeFolder('runtime/engine');
    copyFileSync(await builtModule(), made.path('runtime/engine/simwright.so'));
    return made;
  }
  const steps = `
runtime up store
runtime launch sim -- node ../sim.mjs y & launched+=($!)
runtime launch later -- node ../sim.mjs later & launched+=($!)`;
  const result = (trueModule === undefined ? '1,2\n' : '2,4\n').repeat(4);

  test.each<[string, Partial<Store>]>([
    ['over TCP', {}],
    ['over a Unix socket', { kind: 'colocated', transport: { kind: 'uds', permissions: 0o700 } } as Partial<Store>],
    ['in three shards', { shards: 3 }],
    ['in three shards with replicas', { shards: 3, replicas: 1 }],
  ])(
    'in a job, %s: models are loaded, and its keys outlive the job while somebody needs them',
    async (_name, store) => {
      const job = await jobFolder(store);
      expect(await job.run(steps)).toMatchObject({ code: 3, stderr: '' });
      expect(job.read('run/sim/sim.out')).toBe(result);
      const log = readdirSync(job.path('run/stores/store')).find(
        (name) => name.endsWith('.log') && name !== 'launch.log',
      );
      expect(job.read(`run/stores/store/${log}`)).toContain(`, with ${module}`);
      expect(job.read(`run/stores/store/${log}`)).toContain('ML models and scripts are loaded: double');
      job.write('run/mended', '');
      const again = job.start(steps);
      expect(await again.ended).toMatchObject({ code: 0, stderr: '' });
      expect(job.read('run/later/later.out')).toBe(result);
      await job.expectNothingLeft(again);
    },
  );

  test('refuses to start without what its models need, and says what is missing', async () => {
    const job = await jobFolder({}, { module: join(folder, 'none.so') });
    const end = await job.run('runtime up store');
    expect(end.code).toBe(1);
    expect(end.stderr).toContain(`error[RUN1040]: RedisAI is not there: there is no ${folder}/none.so`);
  });

  const places = { env: { PATH: '/nowhere', HOME: '/nowhere' }, runtimePath: undefined };
  const nothing = { mlModels: [], scripts: [] };

  test('is found by the variables that SmartSim reads, too', async () => {
    if (server === undefined) return;
    const home = join(folder, 'home');
    mkdirSync(join(home, 'engine'), { recursive: true });
    copyFileSync(await builtModule(), join(home, 'engine/simwright.so'));
    const env = { ...places.env, RAI_PATH: module, REDIS_PATH: server.path, SIMWRIGHT_HOME: home };
    expect(await findRedisAi(undefined, nothing, { env })).toEqual({
      server,
      module: join(home, 'engine/simwright.so'),
      redisai: { module, backends },
    });
    const site = { module, backends: '/other', server: join(folder, 'none') };
    await expect(findRedisAi(site, nothing, { env })).rejects.toMatchObject({
      code: 'RUN1040',
      message: `${folder}/none is no server that can be run`,
    });
  });

  test('says which of its parts are missing (RUN1040)', async () => {
    const script = { name: 's' } as Store['scripts'][number];
    const torch = { ...double, backend: 'TORCH' as const };
    const of = (site: Parameters<typeof findRedisAi>[0], store: Pick<Store, 'mlModels' | 'scripts'>) =>
      findRedisAi(site, store, places).catch((error: Error) => error.message);
    expect(await of(undefined, nothing)).toBe('nothing says where RedisAI is');
    expect(await of({ module, backends: '/nowhere' }, { mlModels: [double, torch], scripts: [] })).toBe(
      `RedisAI lacks backends that models or scripts of this store need:
  - ONNX: there is no /nowhere/redisai_onnxruntime/redisai_onnxruntime.so
  - TORCH: there is no /nowhere/redisai_torch/redisai_torch.so`,
    );
    expect(await of({ module }, { mlModels: [], scripts: [script] })).toContain('TORCH: there is no');
    expect(await of({ module }, nothing)).toContain('the module simwright.so is in none of these folders:');
    expect(existsSync('/nowhere')).toBe(false);
  });
});
