import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectNothingLeft } from '../helpers/leftovers.js';
import { root } from '../helpers/simwright.js';

const tsc = join(root, 'node_modules/typescript/bin/tsc');

/** Without what npm tells the scripts that it runs, which would lead a further npm to this package. */
const env = Object.fromEntries([
  ...Object.entries(process.env).filter(
    ([name]) => !/^(npm_(package|lifecycle)_|npm_config_local_prefix$|INIT_CWD$)/.test(name),
  ),
  ['ONNXRUNTIME_NODE_INSTALL', 'skip'],
]);

describe('the package, installed into an empty folder', { timeout: 360_000 }, () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'simwright-package-')));
  const home = join(folder, 'home');
  let packed: string[] = [];
  const wheel = 'dist/python/simwright-0.1.0-py3-none-any.whl';

  const inHome = (command: string, ...words: readonly string[]) =>
    execa(command, words, { cwd: home, env, extendEnv: false, stdin: 'ignore', reject: false });
  const npx = (...words: readonly string[]) => inHome('npx', '--no', '--', 'simwright', ...words);
  const write = (path: string, text: string) => writeFileSync(join(home, path), text);
  const checkTypes = () => inHome(process.execPath, tsc, '--noEmit', '--strict', '--module', 'nodenext', 'workflow.ts');

  beforeAll(async () => {
    // Packing builds anew: not in the folder that other tests use.
    const copy = join(folder, 'copy');
    const left = ['node_modules', 'dist', '.git', 'coverage'].map((name) => join(root, name));
    cpSync(root, copy, { recursive: true, filter: (path) => !left.includes(path) && !path.endsWith('.simwright') });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    const words = ['pack', '--json', '--ignore-scripts=false', '--pack-destination', folder];
    const { stdout } = await execa('npm', words, { cwd: copy, env, extendEnv: false, stdin: 'ignore' });
    const [tarball] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as {
      filename: string;
      files: { path: string }[];
    }[];
    packed = tarball?.files.map(({ path }) => path) ?? [];
    mkdirSync(home);
    write('package.json', '{ "name": "x", "private": true }\n');
    const install = [
      'install',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      join(folder, basename(tarball?.filename ?? '')),
    ];
    await execa('npm', install, { cwd: home, env, extendEnv: false, stdin: 'ignore' });
  }, 900_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('holds what runs, its licence and its README, and neither tests nor sources', () => {
    for (const path of [
      'LICENSE',
      'README.md',
      'package.json',
      'templates/job.sh.njk',
      'dist/index.js',
      'dist/index.d.ts',
      ...['errors', 'from-smartsim', 'runtime', 'sites', 'first-ensemble-in-python'].map((name) => `docs/${name}.md`),
      'CHANGELOG.md',
    ]) {
      expect(packed).toContain(path);
    }
    expect(packed.filter((path) => path.startsWith('python/'))).toContain('python/simwright/__init__.py');
    expect(packed.filter((path) => /^python\/(?!pyproject\.toml$|simwright\/(.*\.py|py\.typed)$)/.test(path))).toEqual(
      [],
    );
    expect(packed).toContain('python/simwright/py.typed');
    expect(packed.filter((path) => path.endsWith('.whl'))).toEqual([wheel]);
    // The module is built where it runs; a release may carry one that is built.
    const native = packed.filter((path) => path.startsWith('native/') && !path.endsWith('.so'));
    expect(native.sort()).toEqual(['native/module-api.h', 'native/simwright.c']);
    for (const path of ['dist/bundle/simwright.mjs', 'dist/bundle/client.mjs', 'dist/cli/main.js']) {
      expect(packed).toContain(path);
    }
    expect(
      packed.filter(
        (path) =>
          !/^(dist|templates|docs|python|native)\/|^(LICENSE|README\.md|CHANGELOG\.md|package\.json)$/.test(path),
      ),
    ).toEqual([]);
    expect(packed.filter((path) => /\.test\.|(?<!\.d)\.ts$|\.map$/.test(path))).toEqual([]);
  });

  test.each([
    ['a wheel', wheel],
    ['a folder', 'python'],
  ])('pip installs the Python package from %s, typed', async (kind, path) => {
    const venv = join(folder, kind);
    await execa('python3', ['-m', 'venv', venv]);
    const python = join(venv, 'bin/python');
    const source = join(home, 'node_modules/simwright', path);
    // The packages that it needs are tested where they are; here they would be downloaded.
    await execa(python, ['-m', 'pip', 'install', '--quiet', '--no-deps', '--disable-pip-version-check', source], {
      cwd: home,
    });
    const program = [
      'import importlib.metadata as m, pathlib, simwright, simwright.ml',
      'names = sorted(str(f) for f in m.files("simwright") if f.suffix in (".py", ".typed"))',
      'print(*names, m.version("simwright"), *m.requires("simwright"), sep="\\n")',
    ].join('\n');
    const { stdout } = await execa(python, ['-c', program], { cwd: home });
    const lines = stdout.split('\n');
    const files = packed
      .filter((name) => name.startsWith('python/simwright/'))
      .map((name) => name.slice('python/'.length));
    expect(lines.slice(0, files.length)).toEqual(files.sort());
    expect(lines.slice(files.length, files.length + 2)).toEqual([
      (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version,
      'numpy',
    ]);
    expect(stdout).toMatch(/^smartredis>=0\.5; ?python_version < ["']3\.12["']$/m);
    expect(stdout).toMatch(/^torch>=1\.11; ?extra == ["']torch["']$/m);
    const check = await execa(python, ['-m', 'pip', 'check', '--disable-pip-version-check'], { reject: false });
    expect(check.stdout).toMatch(/requires numpy, which is not installed/);
  });

  test('compiles a workflow for Slurm; the editor knows its types', async () => {
    write(
      'workflow.ts',
      `import { command, experiment } from 'simwright';

export default experiment('hello')
  .model('simulation', command('true').tasks(4))
  .model('analysis', command('echo', 'hello'))
    .after('simulation');
`,
    );
    const end = await npx('compile', 'workflow.ts', '--site', 'slurm');
    expect(end.exitCode).toBe(0);
    expect(end.stdout).toContain('submit it: hello.simwright/submit.sh');
    expect(readFileSync(join(home, 'hello.simwright/jobs/hello.sbatch'), 'utf8')).toContain(
      '#SBATCH --job-name=hello\n',
    );
    expect(await checkTypes()).toMatchObject({ exitCode: 0, stdout: '' });
    write(
      'site.ts',
      `import { defineSite } from 'simwright';
import { frontier } from 'simwright/sites';

export default defineSite({ extends: frontier, name: 'ours', defaults: { account: 'abc123' } });
`,
    );
    const there = await npx('compile', 'workflow.ts', '--site', './site.ts', '--out', 'frontier');
    expect(there, there.stderr).toMatchObject({ exitCode: 0 });
    expect(readFileSync(join(home, 'frontier/jobs/hello.sbatch'), 'utf8')).toContain('#SBATCH -S 8\n');
  });

  test('a mistake is shown at its line and column, by the command line and by the editor', async () => {
    write(
      'workflow.ts',
      `import { command, experiment } from 'simwright';

interface Unused { readonly lines: 'that vanish when types are taken away' }

export default experiment('hello')
  .model('simulation', command('true'))
  .model('analysis', command('echo', 'hello'))
    .after('simulatoin');
`,
    );
    const end = await npx('check', 'workflow.ts');
    expect(end).toMatchObject({ exitCode: 1, stdout: '' });
    expect(end.stderr).toContain('  --> workflow.ts:8:6\n');
    expect(end.stderr).toContain("8 |     .after('simulatoin');\n");
    const types = await checkTypes();
    expect(types.exitCode).toBe(2);
    expect(types.stdout).toMatch(/^workflow\.ts\(8,12\): error TS2345: Argument of type '"simulatoin"'/);
  });

  test('runs an ensemble with a store', async () => {
    write(
      'app.mjs',
      `import { Client } from 'simwright/client';
const client = await Client.connect();
await client.putTensor('level', { dtype: 'INT32', shape: [1], data: Int32Array.of(Number(process.argv[2].split('=')[1])) });
await client.close();
`,
    );
    write(
      'sum.mjs',
      `import { Client } from 'simwright/client';
const client = await Client.connect();
let sum = 0;
for (const member of process.env.SSKEYIN.split(',')) {
  client.setDataSource(member);
  sum += (await client.getTensor('level', 'INT32')).data[0];
}
console.log('sum', sum);
await client.close();
`,
    );
    write(
      'workflow.ts',
      `import { command, experiment } from 'simwright';

export default experiment('sums')
  .orchestrator()
  .ensemble('part', command('node', 'app.mjs', '{args}'))
    .params({ LEVEL: [10, 20, 30] }, { asArgs: ['LEVEL'] })
    .attach({ copy: 'app.mjs' })
  .model('total', command('node', 'sum.mjs'))
    .attach({ copy: 'sum.mjs' })
    .registerIncomingEntity('part')
    .after('part');
`,
    );
    const end = await npx('run', 'workflow.ts');
    expect(end).toMatchObject({ exitCode: 0, stdout: 'sum 60' });
    expect(existsSync(join(home, 'sums.simwright/run/members.csv'))).toBe(true);
    expect(await checkTypes()).toMatchObject({ exitCode: 0, stdout: '' });
    await expectNothingLeft(join(home, 'sums.simwright'));
  });
});
