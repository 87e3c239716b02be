import { describe, expect, test } from 'vitest';
import { Client } from '../../../../src/runtime/client/index.js';
import { meanwhile, startSimwright } from '../../../helpers/simwright.js';
import { Workspace } from '../../../helpers/workspace.js';
import { frameworksPython } from '../support/python.js';

const found = await frameworksPython();
const python = 'python' in found ? found.python : '';
const why = 'missing' in found ? ` (skipped: ${found.missing})` : '';

describe.skipIf(why !== '')(`simwright orchestrator with frameworks${why}`, () => {
  test('--preload-backends: is ready when the worker is, and ends with it', async () => {
    const words = ['--port', '0', '--json', '--python', python, '--preload-backends', 'TORCH'];
    const running = startSimwright(new Workspace(), 'orchestrator', ...words);
    let output = '';
    running.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    await meanwhile(running, 'the store is ready', () => output.includes('"ready":true'));
    const [address] = (JSON.parse(output) as { readonly addresses: readonly string[] }).addresses;
    const client = await Client.connect({ env: { SSDB: address } });
    expect(JSON.stringify(await client.info())).toMatch(/backend=TORCH,device=CPU,framework=torch,version=2\./);
    await client.close();
    running.kill('SIGTERM');
    expect((await running).exitCode).toBe(0);
  });
});
