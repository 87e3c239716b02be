import { execa } from 'execa';
import { expect, test } from 'vitest';
import { expectNothingLeft } from '../helpers/leftovers.js';
import { simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

const put = `
import { readFileSync } from 'node:fs';
import { Client, tensor } from 'simwright/client';
const client = await Client.connect();
await client.putTensor('x', tensor([JSON.parse(readFileSync('params.json')).I], [1]));
await client.close();
`;
const sum = `
import { Client } from 'simwright/client';
const client = await Client.connect();
let sum = 0;
for (const name of ['writer_0', 'writer_1']) {
  client.setDataSource(name);
  sum += (await client.getTensor('x')).data[0];
}
console.log(sum);
await client.close();
`;

test('a workflow whose store has a job of its own on a cluster runs at home by its own submit.sh', async () => {
  const workspace = new Workspace();
  workspace.write('put.mjs', put);
  workspace.write('sum.mjs', sum);
  workspace.workflow(`experiment('meet')
  .orchestrator().batch({ walltime: '00:10:00' })
  .ensemble('writer', command('node', 'put.mjs'))
    .params({ I: [3, 4] })
    .attach({ copy: 'put.mjs' })
    .batch({ mode: 'array', walltime: '00:05:00' })
  .model('reader', command('node', 'sum.mjs'))
    .attach({ copy: 'sum.mjs' })
    .registerIncomingEntity('writer')
    .after('writer')
    .batch({ walltime: '00:05:00' })`);
  const compiled = await simwright(workspace, 'compile', 'workflow.ts', '--site', 'local', '--out', 'out');
  expect(compiled.exitCode).toBe(0);
  const submitted = await execa(workspace.path('out/submit.sh'), { cwd: '/', stdin: 'ignore', reject: false });
  expect(submitted).toMatchObject({ exitCode: 0, stderr: '' });
  expect(workspace.read('out/run/reader/reader.out')).toBe('7\n');
  expect(workspace.members('out')).toEqual(['writer_0 completed 0', 'writer_1 completed 0']);
  expect(workspace.read('out/run/status', `meet.reader.${submitted.stdout.split('\t')[1]}.jsonl`)).toMatch(
    /"run":"\d+-\d+"/,
  );
  await expectNothingLeft(workspace.path('out'));
});
