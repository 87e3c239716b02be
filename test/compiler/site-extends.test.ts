import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadSite } from '../../src/compiler/index.js';
import { defined } from '../../src/ir/index.js';
import { builtInSites } from '../../src/sites/built-in.js';
import { root } from './support/compile-fixture.js';
import { compileIn, problemsIn, problemsOf, shown, source, workspace } from './support/workspace.js';

const workflow = source("\n  .model('m', command('true'))");
const base = JSON.stringify({
  name: 'base',
  target: 'slurm',
  modules: ['a', 'b'],
  node: { cores: 64, gpus: 4 },
  env: { ONE: '1', TWO: '2' },
  queues: { debug: { maxNodes: 2, default: true }, prod: { minNodes: 10 } },
  defaults: { account: 'theirs' },
});

describe('a site that extends another', () => {
  test('merges objects; every other value takes the place of the other, and null takes it away', async () => {
    const mine = {
      extends: './sites/base.json',
      name: 'mine',
      modules: ['c'],
      node: { gpus: null, memoryMiB: 1024 },
      env: { TWO: 'two' },
      queues: { prod: null, debug: { maxNodes: 1 } },
      defaults: { account: 'ours' },
    };
    const folder = workspace({ 'sites/base.json': base, 'mine.json': JSON.stringify(mine) });
    expect(await loadSite(`${folder}/mine.json`, builtInSites)).toMatchObject({
      name: 'mine',
      target: 'slurm',
      modules: ['c'],
      node: { cores: 64, memoryMiB: 1024 },
      env: { ONE: '1', TWO: 'two' },
      queues: { debug: { maxNodes: 1, default: true } },
      defaults: { account: 'ours' },
    });
    const site = await loadSite(`${folder}/mine.json`, builtInSites);
    expect(Object.keys(site.queues)).toEqual(['debug']);
    expect(site.node.gpus).toBeUndefined();
  });

  test('names a built-in one, a file of TypeScript, which names a file of its own folder, or an object', async () => {
    const folder = workspace({
      'sites/base.json': base,
      'sites/middle.ts':
        "import { defineSite } from 'simwright';\nexport default defineSite({ extends: './base.json', launcher: 'mpirun' });\n",
      'mine.ts':
        "import { defineSite } from 'simwright';\nimport middle from './sites/middle.js';\nexport default defineSite({ extends: './sites/middle.ts', maxNodes: 3 });\n",
      'whole.ts':
        "import { defineSite } from 'simwright';\nconst other = defineSite({ name: 'o', target: 'pbs', maxNodes: 5 });\nexport default defineSite({ extends: other, name: 'w' });\n",
    });
    expect(await loadSite(`${folder}/mine.ts`, builtInSites)).toMatchObject({
      name: 'base',
      launcher: 'mpirun',
      maxNodes: 3,
      node: { cores: 64 },
    });
    expect(await loadSite(`${folder}/whole.ts`, builtInSites)).toMatchObject({ name: 'w', target: 'pbs', maxNodes: 5 });
    const ofBuiltIn = { extends: 'pbs', name: 'ours' };
    expect(await loadSite(ofBuiltIn, builtInSites)).toMatchObject({ name: 'ours', target: 'pbs' });
  });

  test('in a circle is an error that shows the way round', async () => {
    const files = {
      'workflow.ts': workflow,
      'a.json': '{ "extends": "./b.json", "name": "a" }',
      'b.json': '{ "extends": "c.json" }',
      'c.json': '{ "extends": "./b.json" }',
    };
    const [problem = ''] = await problemsIn(files, 'a.json');
    expect(problem.replace(/\S*\/(?=[bc]\.json)/g, '')).toBe(
      'SITE1003 c.json:1:1 b.json extends c.json, which extends b.json | take one of these extends away',
    );
    const round: Record<string, unknown> = { name: 'round', target: 'slurm' };
    round['extends'] = round;
    expect(shown(await problemsOf(() => loadSite(round, builtInSites)), '/none')).toEqual([
      "SITE1003 - site 'round' extends site 'round' | take one of these extends away",
    ]);
  });

  test('that is not there, or no site', async () => {
    const extending = (what: unknown) => ({
      'workflow.ts': workflow,
      'mine.json': JSON.stringify({ extends: what, name: 'm' }),
    });
    expect(await problemsIn(extending('./gone.json'), 'mine.json')).toEqual([
      'SITE1001 mine.json:1:1 mine.json extends ./gone.json, and there is no file gone.json | a path starts at the folder of the file it is in',
    ]);
    expect(await problemsIn(extending('slrum'), 'mine.json')).toEqual([
      expect.stringMatching(/^SITE1001 mine\.json:1:1 there is no site 'slrum' \| did you mean 'slurm'\?/),
    ]);
    expect(await problemsIn(extending(1), 'mine.json')).toEqual([
      'SITE1002 mine.json:1:1 mine.json: extends: the name of a site, its file, or the site itself',
    ]);
  });

  test('has its mistakes shown in the file that makes them, at their keys', async () => {
    const files = {
      'workflow.ts': workflow,
      'base.json': '{\n  "name": "base",\n  "target": "slurm",\n  "node": {\n    "core": 4\n  }\n}\n',
      'mine.ts':
        "import { defineSite } from 'simwright';\nconst mine = defineSite({\n  extends: './base.json',\n  maxNodes: 0,\n  queues: { debug: { bins: [{ maxNodes: 1, maxWalltime: '10' }] } },\n});\nexport default mine;\n",
    };
    const problems = await problemsIn(files, 'mine.ts');
    expect(problems.map((line) => line.replace(/(?<=:\d+ )\S*base\.json/, 'base.json'))).toEqual([
      'SITE1002 base.json:5:5 base.json: node: Unrecognized key: "core"',
      expect.stringMatching(/^SITE1002 mine\.ts:5:44 mine\.ts: queues\.debug\.bins\.0\.maxWalltime: write hours/),
      expect.stringMatching(/^SITE1002 mine\.ts:4:3 mine\.ts: maxNodes: Too small/),
    ]);
  });
});

describe('variables of a site', () => {
  test('hold no secret', async () => {
    const site = JSON.stringify({ name: 's', target: 'slurm', env: { HF_TOKEN: 'hf_abc', TOKEN_FILE: '/run/token' } });
    const problems = await problemsIn({ 'workflow.ts': workflow, 'site.json': site }, 'site.json');
    expect(problems).toEqual([
      'SITE1002 site.json:1:37 site.json: env.HF_TOKEN: it looks like a secret, and a site is a file that many read: let each user bring their own',
    ]);
  });
});

test('threads that a scheduler counts have a number', async () => {
  const site = { name: 's', target: 'slurm', node: { schedulerCounts: 'threads' } };
  expect(shown(await problemsOf(() => loadSite(site, builtInSites)), '/none')).toEqual([
    "SITE1002 - site 's': node.schedulerCounts: say how many threads a core has, too: threadsPerCore",
  ]);
});

test.each([
  ['amd', undefined, "'GPU:1'", ['ML1014']],
  ['intel', undefined, "'GPU'", ['ML1014']],
  ['amd', '/sw/ml/bin/python3', "'GPU'", []],
  ['amd', undefined, "'CPU'", []],
  ['nvidia', undefined, "'GPU'", []],
  [undefined, undefined, "'GPU'", []],
] as const)('GPUs of %s, the Python %s, an ONNX model on %s: %j', async (gpuMaker, python, device, codes) => {
  const model = readFileSync(join(root, 'fixtures/workflows/colocated-uds/double.onnx'));
  const chain = `\n  .model('m', command('true')).colocate({ uds: true })\n  .addMlModel('net', mlFile('net.onnx'), { backend: 'ONNX', device: ${device} })`;
  const site = { name: 's', target: 'slurm', ...defined({ python }), node: defined({ gpus: 4, gpuMaker }) } as const;
  const { warnings } = await compileIn(workspace({ 'workflow.ts': source(chain), 'net.onnx': model }), site);
  expect(warnings.map(({ code }) => code)).toEqual(codes);
  for (const { message, at } of warnings) {
    expect(`${at?.line} ${message}`).toMatch(
      /^5 \.addMlModel\('net'\) is for a GPU, and on those of site 's', which (AMD|Intel) /,
    );
  }
});
