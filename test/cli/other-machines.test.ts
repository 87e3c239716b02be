import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

/** Lets our code, and no package with binaries for the machine there is, believe that it runs on a Mac. */
const pretend = `
for (const [name, value] of Object.entries({ platform: 'darwin', arch: 'arm64' })) {
  const real = process[name];
  Object.defineProperty(process, name, {
    get: () => (/[/]dist[/](chunks|cli|compiler|runtime|ir|targets)[/]/.test(new Error().stack.split('\\n')[2] ?? '') ? value : real),
  });
}
`;

function onMac() {
  const workspace = new Workspace();
  workspace.write('mac.cjs', pretend);
  workspace.write('in.cfg', 'n = ;N;\n');
  workspace.workflow(
    "experiment('e').orchestrator().ensemble('m', command('true')).params({ N: [1, 2] }).attach({ configure: 'in.cfg' })",
  );
  const env = { NODE_OPTIONS: `--require ${workspace.path('mac.cjs')}` };
  return { workspace, call: (...words: string[]) => simwright({ cwd: workspace.cwd, env }, ...words) };
}

describe('on a Mac', { timeout: 360_000 }, () => {
  test('everything that only writes and checks works', async () => {
    const { workspace, call } = onMac();
    for (const words of [
      ['check', 'workflow.ts', '--no-types'],
      ['compile', 'workflow.ts', '--site', 'slurm', '--out', 'out'],
      ['compile', 'workflow.ts', '--site', 'slurm', '--out', 'out', '--check'],
      ['diff', 'workflow.ts', '--site', 'slurm', '--out', 'out'],
      ['preview', 'workflow.ts'],
      ['members', 'workflow.ts', 'm'],
      ['graph', 'workflow.ts'],
      ['site', 'list'],
      ['explain', 'CLI1010'],
    ]) {
      expect(await call(...words), words.join(' ')).toMatchObject({ exitCode: 0 });
    }
    // As it is where jobs have run and the folder has come back.
    workspace.write('out/run/jobs.tsv', 'e\t4711\n');
    expect(await call('compile', 'workflow.ts', '--out', 'here')).toMatchObject({ exitCode: 0 });
    workspace.write('here/run/jobs.tsv', 'e\t4711\n');
    expect(await call('compile', 'workflow.ts', '--out', 'here')).toMatchObject({ exitCode: 0 });
  });

  test('what starts jobs and stores says what it needs', async () => {
    const { call } = onMac();
    expect(await call('compile', 'workflow.ts', '--out', 'out')).toMatchObject({ exitCode: 0 });
    for (const words of [
      ['run', 'workflow.ts'],
      ['submit', 'out'],
      ['orchestrator'],
      ['doctor'],
      ['site', 'install', 'x'],
    ]) {
      const end = await call(...words);
      const name = words.slice(0, words[0] === 'site' ? 2 : 1).join(' ');
      expect(end, name).toMatchObject({ exitCode: 2, stdout: '' });
      expect(end.stderr).toContain(
        `error[CLI1010]: simwright ${name} needs Linux on x86-64, and this machine is darwin on arm64`,
      );
    }
  });
});

test('package.json shuts nobody out', () => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect([manifest.os, manifest.cpu]).toEqual([undefined, undefined]);
});
