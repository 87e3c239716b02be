import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test, vi } from 'vitest';
import { pythonFiles, runtimeFiles, writeFolder } from '../../src/compiler/index.js';
import { compileFile } from '../compiler/support/compile-fixture.js';
import { processesOf } from '../helpers/leftovers.js';
import { root } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

vi.setConfig({ testTimeout: 180_000 });

/** Runs a command as an ordinary user, who sees the checkout at /mnt: where it lies, he may not get to. */
const asUser = [
  ...['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" /mnt && exec "$@"', root],
  ...['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--no-new-privs'],
  ...['env', '-i', `PATH=${process.env['PATH']}`, 'HOME=/nonexistent', 'SIMWRIGHT_MAP_DEVICE=GPU=CPU'],
];

function whyNoUser(): string {
  if (process.getuid?.() !== 0) return 'not root';
  const [program = '', ...words] = asUser;
  try {
    execFileSync(program, [...words, process.execPath, '--version'], { stdio: 'ignore' });
    return '';
  } catch {
    return 'no namespaces, no setpriv, or a Node.js that others cannot run';
  }
}

const why = whyNoUser();

describe.skipIf(why !== '')(`rehearsals of an ordinary user${why === '' ? '' : ` (skipped: ${why})`}`, () => {
  async function rehearsedBy(fixture: string, ...options: readonly string[]) {
    const workspace = new Workspace('/var/tmp');
    chmodSync(workspace.cwd, 0o755);
    const dir = workspace.path('out');
    const compiled = await compileFile(join(root, 'fixtures/workflows', fixture, 'workflow.ts'), 'slurm');
    mkdirSync(dir);
    writeFolder(dir, [...compiled.files, ...runtimeFiles(), ...pythonFiles()]);
    execFileSync('chown', ['-R', '65534:65534', dir]);
    const [program = '', ...words] = asUser;
    const call = [
      ...words,
      process.execPath,
      '/mnt/dist/cli/main.js',
      'rehearse',
      dir,
      '--stub-app',
      '0.1',
      ...options,
    ];
    const end = await execa(program, call, { cwd: '/', stdin: 'ignore', reject: false });
    expect(processesOf(dir)).toEqual([]);
    return { ...end, workspace, said: `${end.stderr}\n${end.stdout}` };
  }

  test('an ensemble', async () => {
    const { exitCode, stdout, workspace, said } = await rehearsedBy('hello-ensemble');
    expect(exitCode, said).toBe(0);
    expect(stdout).toContain('each with its own host name, loopback and /tmp');
    expect(workspace.members('out/rehearsal')).toEqual([0, 1, 2, 3].map((index) => `hello_${index} completed 0`));
    expect(
      execFileSync('stat', ['-c', '%U', workspace.path('out/rehearsal/timeline.json')], { encoding: 'utf8' }),
    ).toBe('nobody\n');
  });

  test('a store beside its application, on two nodes', async () => {
    const { exitCode, stderr, said } = await rehearsedBy('colocated-uds');
    expect(exitCode, said).toBe(0);
    expect(stderr).toContain('store sweep starts on node1 node2\n');
  });

  test('a store that other nodes use, with hosts that are names only', async () => {
    const { exitCode, stdout, said } = await rehearsedBy('store-across-nodes', '--plain');
    expect(exitCode, said).toBe(0);
    expect(stdout).toContain('by name only');
  });

  test('with hosts that are names only', async () => {
    const { exitCode, stdout, said, workspace } = await rehearsedBy('hello-ensemble', '--plain');
    expect(exitCode, said).toBe(0);
    expect(stdout).toContain('by name only');
    expect(workspace.members('out/rehearsal')).toEqual([0, 1, 2, 3].map((index) => `hello_${index} completed 0`));
    const store = await rehearsedBy('colocated-uds', '--plain');
    expect([store.exitCode, store.stderr]).toEqual([
      2,
      expect.stringContaining("store 'sweep' listens at a socket under /tmp on each of its 2 nodes"),
    ]);
  });
});
