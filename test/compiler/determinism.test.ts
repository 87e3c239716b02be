import { cpSync, existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { execaNode } from 'execa';
import { expect, test } from 'vitest';
import { compile, loadSite } from '../../src/compiler/index.js';
import { command, experiment } from '../../src/dsl/index.js';
import { authoredExperiment } from '../../src/ir/index.js';
import { builtInSites } from '../../src/sites/built-in.js';
import { fixtures, root } from './support/compile-fixture.js';
import { workspace } from './support/workspace.js';

/** Compiles every workflow below the working directory for every site, in a process of its own, and prints a digest of every file. */
const program = `
  import { createHash } from 'node:crypto';
  import { readdirSync, readFileSync } from 'node:fs';
  import { compile, loadSite, loadWorkflow } from '${pathToFileURL(join(root, 'src/compiler/index.ts'))}';
  import { builtInSites } from '${pathToFileURL(join(root, 'src/sites/built-in.ts'))}';
  const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');
  for (const folder of readdirSync('workflows').sort()) {
    const workflow = await loadWorkflow('workflows/' + folder + '/workflow.ts');
    for (const { name } of builtInSites) {
      try {
        for (const { path, mode, content } of compile(workflow, await loadSite(name, builtInSites)).files) {
          const bytes = typeof content === 'string' ? content : 'file' in content ? readFileSync(content.file) : content.bytes;
          console.log(folder, name, path, mode, digest(bytes));
        }
      } catch (error) {
        console.log(folder, name, JSON.stringify(error.problems?.map(({ code, message, hint }) => [code, message, hint]) ?? String(error)));
      }
    }
  }`;

test('every fixture, for every site: the same bytes from two folders, time zones and languages', async () => {
  const outputs = [
    { name: 'one', env: { TZ: 'UTC', LC_ALL: 'C', USER: 'ada', HOME: '/root' } },
    {
      name: 'two/deeper',
      env: { TZ: 'Asia/Kathmandu', LC_ALL: 'tr_TR.UTF-8', USER: 'grace', HOME: '/nowhere', COLUMNS: '40' },
    },
  ].map(async ({ name, env }) => {
    const folder = workspace({ [`${name}/compile.mts`]: program });
    cpSync(join(root, 'fixtures/workflows'), join(folder, name, 'workflows'), {
      recursive: true,
      filter: (path) => basename(path) !== 'expected',
    });
    const options = { cwd: join(folder, name), env: { ...env, TSX_TSCONFIG_PATH: join(root, 'tsconfig.json') } };
    const nodeOptions = ['--import', pathToFileURL(join(root, 'node_modules/tsx/dist/loader.mjs')).href];
    return (await execaNode(join(folder, name, 'compile.mts'), { ...options, nodeOptions })).stdout;
  });
  const [first = '', second] = await Promise.all(outputs);
  for (const { name } of fixtures) {
    // Examples are elsewhere.
    if (existsSync(join(root, 'fixtures/workflows', name))) expect(first).toContain(`${name} local plan.json`);
  }
  expect(second).toBe(first);
}, 360_000);

test('a builder compiled twice, and extended in between, gives the same files', async () => {
  const site = await loadSite('slurm', builtInSites);
  const half = experiment('e').model('a', command('true'));
  const textOf = (builder: typeof half) =>
    JSON.stringify(compile({ ...builder[authoredExperiment], file: '/nowhere/workflow.ts' }, site).files);
  const before = textOf(half);
  const grown = half.model('b' as never, command('true')).after('a');
  expect(textOf(half)).toBe(before);
  expect(textOf(grown as never)).not.toBe(before);
});

test('an ensemble of a million members makes as small a plan as one of ten', async () => {
  const site = await loadSite('slurm', builtInSites);
  const sizeOf = (steps: number) => {
    const axis = Array.from({ length: steps }, (_, i) => i);
    const builder = experiment('e')
      .ensemble('e', command('true', '{args}').walltime('00:10:00'))
      .params({ A: axis, B: axis, C: axis, D: axis, E: axis, F: axis }, { asArgs: ['A', 'B', 'C', 'D', 'E', 'F'] })
      .model('m', command('true'))
      .after('e_0');
    const { files, plan } = compile({ ...builder[authoredExperiment], file: '/nowhere/workflow.ts' }, site);
    return { count: plan.entities[0]?.members.count, bytes: JSON.stringify(files).length };
  };
  const [small, large] = [sizeOf(1), sizeOf(10)];
  expect([small.count, large.count]).toEqual([1, 1_000_000]);
  expect(large.bytes).toBeLessThan(small.bytes + 2000);
});
