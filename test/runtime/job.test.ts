import { statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { useBundle } from './support/bundle.js';
import { JobFolder } from './support/job-folder.js';
import { makePlan } from './support/make-plan.js';

const bundle = useBundle();

const storeProgram = `
import { Client, tensor } from 'simwright/client';
const client = await Client.connect();
await client.putTensor('x', tensor(Float64Array.of(Number(process.argv[2])), [1]));
console.log(process.env.SSDB, process.env.SR_DB_TYPE, process.env.SR_SOCKET_TIMEOUT, process.env.SSKEYOUT, process.env.SSKEYIN);
await client.close();
`;

describe('a job with a store and an ensemble', () => {
  const plan = () =>
    makePlan(
      [
        {
          name: 'sweep',
          params: { RE: [100, 400, 1000], U: [0.1, 0.15] },
          asArgs: ['RE'],
          files: [
            { kind: 'configure', artifact: 'artifacts/aa/input.in', to: 'conf/input.in', mode: 0o640, tag: ';' },
            { kind: 'copy', artifact: 'artifacts/bb/put.mjs', to: 'put.mjs', mode: 0o755 },
          ],
          stores: ['orchestrator'],
          keyPrefixing: true,
        },
        {
          name: 'analysis',
          incoming: ['sweep'],
          after: [{ name: 'sweep', event: 'completed' }],
          stores: ['orchestrator'],
        },
      ],
      [{ name: 'orchestrator' }],
    );
  const analysis = `
import { Client } from 'simwright/client';
const client = await Client.connect();
const values = [];
for (const source of process.env.SSKEYIN.split(',')) {
  client.setDataSource(source);
  values.push((await client.getTensor('x', 'DOUBLE')).data[0]);
}
console.log(values.join(' '));
await client.close();
`;
  const steps = `
runtime up orchestrator
runtime launch sweep --at-most 2 -- node put.mjs {args} & launched+=($!)
runtime launch analysis -- node ../../analysis.mjs & launched+=($!)`;

  function prepared(): JobFolder {
    const folder = new JobFolder(bundle(), plan());
    folder.write('artifacts/aa/input.in', 're = ;RE;\r\nu=;U;');
    folder.write('artifacts/bb/put.mjs', storeProgram.replace('process.argv[2]', "process.argv[2].split('=')[1]"));
    folder.write('run/analysis.mjs', analysis);
    return folder;
  }

  test('stages, runs, records and leaves nothing', async () => {
    const folder = prepared();
    const job = folder.start(steps.replace('../../analysis.mjs', '../analysis.mjs'));
    const end = await job.ended;
    expect(end.stderr).toBe('');
    expect(end.code).toBe(0);
    expect(end.stdout).toContain('sweep (6 members): 6 completed\nanalysis: 1 completed');
    expect(folder.read('run/sweep/sweep_3/conf/input.in')).toBe('re = 400\r\nu=0.15');
    expect(statSync(folder.path('run/sweep/sweep_3/conf/input.in')).mode & 0o777).toBe(0o640);
    expect(JSON.parse(folder.read('run/sweep/sweep_5/params.json'))).toEqual({ RE: 1000, U: 0.15 });
    expect(folder.read('run/sweep/sweep_0/sweep_0.out')).toMatch(
      /^127\.0\.0\.1:\d+ Standalone 60000 sweep_0 undefined\n$/,
    );
    expect(folder.read('run/sweep/sweep_0/sweep_0.err')).toBe('');
    expect(folder.read('run/analysis/analysis.out')).toBe('100 100 400 400 1000 1000\n');
    expect(folder.states('sweep')).toEqual(Array(6).fill('completed'));
    const rows = folder.read('run/members.csv').split('\n');
    expect(rows[0]).toBe('ensemble,index,name,RE,U,state,exit,seconds,host');
    expect(rows[3]).toMatch(/^sweep,2,sweep_2,400,0.1,completed,0,[\d.]+,[^,]+$/);
    expect(rows).toHaveLength(8);
    await folder.expectNothingLeft(job);
  });

  test('run again, it skips what has completed; SIMWRIGHT_FRESH=1 starts over', async () => {
    const folder = prepared();
    const again = steps.replace('../../analysis.mjs', '../analysis.mjs');
    expect((await folder.run(again)).code).toBe(0);
    folder.write('run/sweep/sweep_1/mine', '');
    const second = await folder.run(again);
    expect(second.code).toBe(0);
    expect(second.stdout).toContain('sweep (6 members): 6 completed before, skipped');
    expect(folder.read('run/sweep/sweep_1/mine')).toBe('');
    const fresh = await folder.run(again, { SIMWRIGHT_FRESH: '1' });
    expect(fresh.stderr).toBe('');
    expect(fresh.stdout).toContain('sweep (6 members): 6 completed\n');
    expect(() => folder.read('run/sweep/sweep_1/mine')).toThrow('ENOENT');
  });
});
