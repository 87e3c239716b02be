import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sharedLibraries } from '../../src/cli/site-install/this-node.js';
import { findOnPath } from '../../src/runtime/assert/programs.js';
import { root, simwright, simwrightWords } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

const double = readFileSync(join(root, 'test/runtime/orchestrator/models/double.onnx'));
const installedOnnx = existsSync(join(root, 'node_modules/onnxruntime-node'));

describe('simwright site install', { timeout: 360_000 }, () => {
  const parent = realpathSync(mkdtempSync(join(tmpdir(), 'simwright-install-')));
  const folder = join(parent, 'sw/simwright');
  let first: Awaited<ReturnType<typeof simwright>>;

  beforeAll(async () => {
    first = await simwright({ cwd: parent }, 'site', 'install', 'sw/simwright', '--json');
  }, 360_000);
  afterAll(() => rmSync(parent, { recursive: true, force: true }));

  test.skipIf(!installedOnnx)('lays Node.js, ONNX Runtime, the runtime and the client into a folder', () => {
    expect(first.stderr).toBe('');
    expect(first.exitCode).toBe(0);
    const onnx = JSON.parse(readFileSync(join(root, 'node_modules/onnxruntime-node/package.json'), 'utf8'));
    expect(JSON.parse(first.stdout)).toMatchObject({
      ok: true,
      folder,
      written: true,
      node: { version: process.versions.node },
      onnxruntime: onnx.version,
      site: { nodeCommand: `${folder}/bin/node`, runtimePath: folder },
    });
    const there = ['README.md', 'bin', 'node_modules', 'python', 'simwright.json', 'simwright.mjs'];
    expect(readdirSync(folder).sort()).toEqual(there);
    expect(readdirSync(join(folder, 'python/simwright'))).toContain('__init__.py');
    expect(readdirSync(join(folder, 'node_modules')).sort()).toEqual([
      'onnxruntime-common',
      'onnxruntime-node',
      'simwright',
    ]);
    // Of the libraries for six systems only this one's.
    expect(readdirSync(join(folder, 'node_modules/onnxruntime-node/bin/napi-v6'))).toEqual(['linux']);
    expect(statSync(join(folder, 'bin/node')).mode & 0o777).toBe(0o755);
    expect(readFileSync(join(folder, 'bin/node')).equals(readFileSync(process.execPath))).toBe(true);
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).toContain(`  "nodeCommand": "${folder}/bin/node",\n`);
    expect(readdirSync(join(parent, 'sw'))).toEqual(['simwright']);
  });

  test.skipIf(!installedOnnx)('a job runs by it alone: no Node.js on the PATH, no node_modules beside it', async () => {
    const workspace = new Workspace();
    workspace.write('double.onnx', double);
    workspace.write(
      'app.mjs',
      `import { Client, tensor } from 'simwright/client';
const client = await Client.connect();
await client.putTensor('x', tensor(Float32Array.of(1.5, -4), [1, 2]));
await client.runModel('double', ['x'], ['y']);
console.log(process.execPath, [...(await client.getTensor('y')).data].join());
await client.close();
`,
    );
    workspace.workflow(`experiment('e')
  .orchestrator()
  .model('app', command('node', 'app.mjs'))
    .attach({ copy: 'app.mjs' })
    .addMlModel('double', mlFile('double.onnx'), { backend: 'ONNX' })`);
    const site = {
      name: 'bare',
      target: 'local',
      nodeCommand: join(folder, 'bin/node'),
      runtimePath: folder,
      preamble: [`export PATH=${folder}/bin:$PATH`],
    };
    workspace.write('site.json', JSON.stringify(site));
    const compiled = await simwright(workspace, 'compile', 'workflow.ts', '--site', 'site.json', '--out', 'out');
    expect(compiled).toMatchObject({ exitCode: 0, stderr: '' });
    const elsewhere = join(parent, 'elsewhere');
    cpSync(workspace.path('out'), elsewhere, { recursive: true });
    const tools = join(parent, 'tools');
    mkdirSync(tools);
    const words = ['bash', 'cat', 'chmod', 'cut', 'date', 'dirname', 'mkdir', 'nproc', 'sed', 'tee', 'tr', 'env'];
    for (const tool of words) symlinkSync(findOnPath(tool, process.env['PATH']) ?? '', join(tools, tool));
    const end = await execa(join(elsewhere, 'submit.sh'), {
      cwd: '/',
      env: { PATH: tools },
      extendEnv: false,
      stdin: 'ignore',
      reject: false,
    });
    expect(end.exitCode, readFileSync(join(elsewhere, 'run/app/app.err'), 'utf8')).toBe(0);
    expect(readFileSync(join(elsewhere, 'run/app/app.out'), 'utf8')).toBe(`${folder}/bin/node 3,-8\n`);
  });

  test('under a umask that closes everything it is there for all', async () => {
    const place = mkdtempSync(join(tmpdir(), 'simwright-install-'));
    try {
      const words = [...simwrightWords, 'site', 'install', 'sw/deep/simwright', '--without-onnxruntime'];
      await execa('bash', ['-c', 'umask 077; exec "$@"', 'bash', ...words], { cwd: place });
      const closed = readdirSync(join(place, 'sw'), { recursive: true, withFileTypes: true })
        .map((entry) => join(entry.parentPath, entry.name))
        .concat(join(place, 'sw'))
        .filter((path) => {
          const stat = statSync(path);
          const needed = stat.isDirectory() || path.endsWith('bin/node') ? 0o055 : 0o044;
          return (stat.mode & needed) !== needed;
        });
      expect(closed).toEqual([]);
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  });

  test('a second time there is nothing to do', async () => {
    const before = statSync(join(folder, 'bin/node'));
    const end = await simwright({ cwd: parent }, 'site', 'install', folder);
    expect(end).toMatchObject({ exitCode: 0, stderr: '' });
    expect(end.stdout).toMatch(
      new RegExp(
        `^nothing to do: ${folder}\n  Simwright \\S+\n  Node.js ${process.versions.node}, built with glibc \\d`,
      ),
    );
    expect(statSync(join(folder, 'bin/node')).ino).toBe(before.ino);
  });

  test('one of another version stays, unless --force says otherwise', async () => {
    const other = join(parent, 'other');
    const without = await simwright({ cwd: parent }, 'site', 'install', other, '--without-onnxruntime');
    expect(without).toMatchObject({ exitCode: 0 });
    expect(without.stdout).toContain('  without ONNX Runtime\n');
    expect(without.stderr).toMatch(/^copying \d+ MiB to \S+\n$/);
    expect(readdirSync(join(other, 'node_modules'))).toEqual(['simwright']);
    const marker = JSON.parse(readFileSync(join(other, 'simwright.json'), 'utf8'));
    writeFileSync(join(other, 'simwright.json'), JSON.stringify({ ...marker, simwright: '0.0.1' }));
    const again = ['site', 'install', other, '--without-onnxruntime'];
    const refused = await simwright({ cwd: parent }, ...again);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toContain(
      `error[OUT1001]: ${other} holds another installation: Simwright 0.0.1, Node.js ${process.versions.node}, ONNX Runtime none`,
    );
    expect((await simwright({ cwd: parent }, ...again, '--force')).exitCode).toBe(0);
    expect(JSON.parse(readFileSync(join(other, 'simwright.json'), 'utf8'))).toEqual(marker);
    // A file that has lost its end is not the same.
    writeFileSync(join(other, 'simwright.mjs'), '');
    expect((await simwright({ cwd: parent }, ...again, '--force')).stdout).toContain(`wrote ${other}\n`);
    expect(statSync(join(other, 'simwright.mjs')).size).toBe(marker.files['simwright.mjs']);
    expect(readdirSync(parent).filter((name) => name.startsWith('other'))).toEqual(['other']);
  });

  test("a folder of somebody else's is left alone, also with --force", async () => {
    const theirs = join(parent, 'theirs');
    mkdirSync(theirs);
    writeFileSync(join(theirs, 'thesis.tex'), '');
    const end = await simwright({ cwd: parent }, 'site', 'install', theirs, '--force', '--json');
    expect(end.exitCode).toBe(1);
    expect(JSON.parse(end.stdout)).toMatchObject({
      ok: false,
      problems: [{ code: 'OUT1001', message: `${theirs} holds files that simwright did not write` }],
    });
    const file = await simwright({ cwd: parent }, 'site', 'install', join(theirs, 'thesis.tex'));
    expect(file.stderr).toContain('thesis.tex is there and is no folder');
    const below = await simwright({ cwd: parent }, 'site', 'install', join(theirs, 'thesis.tex/x'));
    expect(below.stderr).toContain(`error[OUT1002]: ${theirs}/thesis.tex/x cannot be written: `);
    expect(readdirSync(theirs)).toEqual(['thesis.tex']);
  });

  test('where ONNX Runtime is not installed, that is an error that says how to go on', async () => {
    const copy = join(parent, 'copy');
    for (const part of ['dist', 'python', 'package.json'])
      cpSync(join(root, part), join(copy, part), { recursive: true });
    mkdirSync(join(copy, 'node_modules'));
    for (const name of readdirSync(join(root, 'node_modules'))) {
      if (!name.startsWith('onnxruntime'))
        symlinkSync(join(root, 'node_modules', name), join(copy, 'node_modules', name));
    }
    const main = join(copy, 'dist/cli/main.js');
    chmodSync(main, 0o755);
    const end = await execa(main, ['site', 'install', join(parent, 'none')], { reject: false, stdin: 'ignore' });
    expect(end.exitCode).toBe(1);
    expect(end.stderr).toContain('error[RUN1002]: onnxruntime-node is not installed beside simwright');
    expect(end.stderr).toContain('or use --without-onnxruntime');
    expect(existsSync(join(parent, 'none'))).toBe(false);
  });
});

test('libraries that a Node.js of a distribution shares are named', () => {
  expect(
    sharedLibraries({ node_shared: true, node_shared_zlib: 'true', node_shared_openssl: false, v8_x: true }),
  ).toEqual(['libnode', 'zlib']);
});
