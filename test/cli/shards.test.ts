import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { npyHeader } from '../../src/runtime/npy/npy.js';
import { expectNothingLeft } from '../helpers/leftovers.js';
import { meanwhile, simwright, startSimwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { lacks } from '../runtime/engine/support/lacks.js';
import { builtModule } from '../runtime/engine/support/servers.js';
import { modelFile } from '../runtime/orchestrator/support/start.js';
import { compiled } from './compiled-jobs.js';

/** Keys of all of three shards. */
const keys = ['a', 'b', 'c', 'd', 'e'];

const app = `import { existsSync, writeFileSync } from 'node:fs';
import { Client, tensor } from 'simwright/client';
const client = await Client.connect();
for (const [at, key] of ${JSON.stringify(keys)}.entries()) await client.putTensor(key, tensor([at + 0.5]));
writeFileSync('../address', process.env.SSDB);
await client.close();
while (!existsSync('../go')) await new Promise((resolve) => setTimeout(resolve, 20));
`;

describe.skipIf(lacks !== '')(
  `a running store in shards${lacks === '' ? '' : ` (skipped: there is no ${lacks})`}`,
  () => {
    test('is shown by its shards, and its tensors are read, listed, put and deleted on all of them', async () => {
      const workspace = new Workspace();
      workspace.write('app.mjs', app);
      workspace.write('double.onnx', modelFile('double'));
      workspace.workflow(`experiment('e').orchestrator({ engine: 'redis', shards: 3 })
  .model('app', command('node', 'app.mjs')).attach({ copy: 'app.mjs' })
  .addMlModel('double', mlFile('double.onnx'), { backend: 'ONNX' })`);
      await compiled(workspace);
      mkdirSync(workspace.path('out/runtime/engine'), { recursive: true });
      copyFileSync(await builtModule(), workspace.path('out/runtime/engine/simwright.so'));
      const submitted = startSimwright(workspace, 'submit', 'out');
      await meanwhile(submitted, 'the application has put', () => workspace.lines('out/run/address').length > 0);
      const SSDB = workspace.read('out/run/address');
      const tensor = (...words: string[]) => simwright({ cwd: workspace.cwd, env: { SSDB } }, 'tensor', ...words);

      const listed = keys.map((key) => ({ key, dtype: 'DOUBLE', shape: [1], bytes: 8 }));
      expect(JSON.parse((await tensor('ls', '--json')).stdout)).toEqual({ ok: true, tensors: listed });
      const here = await simwright({ cwd: workspace.path('out') }, 'tensor', 'ls', '--json');
      expect(JSON.parse(here.stdout)).toEqual({ ok: true, tensors: listed });
      expect((await tensor('get', 'c')).stdout).toBe('DOUBLE [1]\n2.5\n');
      writeFileSync(
        workspace.path('in.npy'),
        Buffer.concat([npyHeader('DOUBLE', [1]), Buffer.from(Float64Array.of(7).buffer)]),
      );
      expect((await tensor('put', '{}x', 'in.npy')).exitCode).toBe(0);
      expect((await tensor('get', '{}x')).stdout).toBe('DOUBLE [1]\n7\n');
      expect((await tensor('rm', ...keys.slice(1), '{}x')).exitCode).toBe(0);
      expect(JSON.parse((await tensor('ls', '--json')).stdout)).toEqual({ ok: true, tensors: listed.slice(0, 1) });

      const addresses = SSDB.split(',');
      const slots = [
        [0, 5460],
        [5461, 10922],
        [10923, 16383],
      ];
      const shown = async () => JSON.parse((await simwright(workspace, 'status', 'out', '--json')).stdout).stores[0];
      // Each shard has the model, and the one tensor that is left is on the last.
      await expect
        .poll(async () => (await shown()).stats.shards, { timeout: 30_000 })
        .toEqual(
          slots.map(([first, last], index) => ({
            shard: index + 1,
            address: addresses[index],
            host: expect.any(String),
            ...{ first, last, models: 1, keys: index === 2 ? 2 : 1 },
            ...{ usedBytes: expect.any(Number), clients: expect.any(Number), requests: expect.any(Number) },
          })),
        );
      const { stdout } = await simwright(workspace, 'status', 'out');
      const rows = stdout.split('\n').map((line) => line.trim().replace(/ {2,}/g, ' | '));
      expect(rows).toContain('STORE | SHARD | SLOTS | ADDRESS | MEMORY | KEYS | CLIENTS | REQUESTS | MODELS');
      for (const [index, [first, last]] of slots.entries()) {
        const start = `orchestrator | ${index + 1} | ${first}-${last} | ${addresses[index]} | `;
        expect(rows).toContainEqual(
          expect.stringMatching(new RegExp(`^${start.replaceAll('|', '\\|')}\\d+\\.\\d MiB \\|`)),
        );
      }
      workspace.write('out/run/go', '');
      expect(await submitted).toMatchObject({ exitCode: 0 });
      await expectNothingLeft(workspace.path('out'));
    });
  },
);
