import { chmodSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { simwright, simwrightWords } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

/** Permission bits of a file, as `ls` counts them. */
const modeOf = (workspace: Workspace, path: string) => (statSync(workspace.path(path)).mode & 0o777).toString(8);

/** Everything below a folder that others can reach and read; what lies in a folder that they cannot enter is out of reach. */
function readableByOthers(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) return [];
    const { mode } = statSync(path);
    if (entry.isFile()) return (mode & 0o044) === 0 ? [] : [path];
    return (mode & 0o011) === 0 ? [] : readableByOthers(path);
  });
}

function workspaceOf(modes: { readonly data: number; readonly workflow?: number }): Workspace {
  const workspace = new Workspace();
  workspace.write('data.txt', 'mine alone\n', modes.data);
  workspace.write('public.txt', 'for all\n');
  workspace.write('tool', '#!/bin/sh\necho linked\n', 0o755);
  workspace.write('in.cfg', 'level ;LEVEL;\n', modes.data);
  workspace.workflow(`experiment('e')
  .ensemble('m', command('sh', '-c', 'cat data.txt in.cfg; ./tool; umask; touch made')).params({ LEVEL: [1, 2, 3, 4, 5, 6] })
  .attach({ copy: ['data.txt', 'public.txt'], configure: 'in.cfg', symlink: 'tool' })
  .model('last', command('sh', '-c', 'umask; touch made')).after('m')`);
  chmodSync(workspace.path('workflow.ts'), modes.workflow ?? 0o644);
  return workspace;
}

const run = (workspace: Workspace, ...words: readonly string[]) =>
  simwright(workspace, 'run', 'workflow.ts', '--out', 'out', ...words);

describe('a file that only its owner can read', () => {
  test('stays so as an artifact and in every member, and plan, scripts, logs, status and results are as private', async () => {
    const workspace = workspaceOf({ data: 0o600 });
    expect(await run(workspace)).toMatchObject({ exitCode: 0 });
    const artifacts = readdirSync(workspace.path('out/artifacts'));
    const modes = Object.fromEntries(
      artifacts.map((name) => [name.slice(17), modeOf(workspace, `out/artifacts/${name}`)]),
    );
    expect(modes).toEqual({ 'data.txt': '600', 'public.txt': '644', tool: '755', 'in.cfg': '600' });
    for (const path of ['plan.json', '.simwright-manifest.json']) expect(modeOf(workspace, `out/${path}`)).toBe('600');
    for (const path of ['submit.sh', 'jobs/e.sh', 'logs', 'run']) expect(modeOf(workspace, `out/${path}`)).toBe('700');
    for (const path of ['data.txt', 'in.cfg', 'params.json', 'm_0.out', 'm_0.err']) {
      expect(modeOf(workspace, `out/run/m/m_0/${path}`), path).toBe('600');
    }
    for (const path of ['status', 'm', 'm/m_0', 'last']) expect(modeOf(workspace, `out/run/${path}`)).toBe('700');
    const status = readdirSync(workspace.path('out/run/status')).map((name) => `status/${name}`);
    expect(status.length).toBeGreaterThan(0);
    for (const path of ['members.csv', 'last/last.out', ...status]) {
      expect(modeOf(workspace, `out/run/${path}`), path).toBe('600');
    }
    expect(workspace.lines('out/run/m/m_0/m_0.out')).toEqual(['mine alone', 'level 1', 'linked', '0022']);
    // Files that an application makes have the modes of its own umask: it may write to a folder that it shares.
    expect(modeOf(workspace, 'out/run/m/m_0/made')).toBe('644');
    expect(modeOf(workspace, 'out/run/last/made')).toBe('644');
    const readable = readableByOthers(workspace.path('out')).filter((path) => !path.includes('/runtime/'));
    expect(readable.map((path) => path.replace(/.*artifacts\/[0-9a-f]*-/, '')).sort()).toEqual(['public.txt', 'tool']);
  });

  test('closes a folder that an earlier compile left open, and --check says so', async () => {
    const workspace = workspaceOf({ data: 0o644 });
    expect(await run(workspace)).toMatchObject({ exitCode: 0 });
    for (const [path, mode] of Object.entries({
      'plan.json': '644',
      logs: '755',
      run: '755',
      'run/members.csv': '644',
    })) {
      expect(modeOf(workspace, `out/${path}`), path).toBe(mode);
    }
    expect(await simwright(workspace, 'compile', 'workflow.ts', '--out', 'out', '--check')).toMatchObject({
      exitCode: 0,
    });
    chmodSync(workspace.path('data.txt'), 0o640);
    const check = await simwright(workspace, 'compile', 'workflow.ts', '--out', 'out', '--check');
    expect(check.exitCode).toBe(1);
    expect(check.stderr).toContain('submit.sh can be read by more people than its source');
    expect(await simwright(workspace, 'compile', 'workflow.ts', '--out', 'out')).toMatchObject({ exitCode: 0 });
    for (const [path, mode] of Object.entries({ 'plan.json': '640', logs: '750', run: '750' })) {
      expect(modeOf(workspace, `out/${path}`), path).toBe(mode);
    }
    expect(await simwright(workspace, 'compile', 'workflow.ts', '--out', 'out', '--check')).toMatchObject({
      exitCode: 0,
    });
  });

  test.each([['the workflow', { data: 0o644, workflow: 0o600 }]])('%s too', async (_what, modes) => {
    const workspace = workspaceOf(modes);
    expect(await simwright(workspace, 'compile', 'workflow.ts', '--out', 'out')).toMatchObject({ exitCode: 0 });
    expect(modeOf(workspace, 'out/plan.json')).toBe('600');
    expect(modeOf(workspace, 'out/logs')).toBe('700');
  });

  test("the site's file too", async () => {
    const workspace = workspaceOf({ data: 0o644 });
    workspace.write('site.json', '{ "name": "mine", "target": "slurm" }', 0o600);
    const end = await simwright(workspace, 'compile', 'workflow.ts', '--out', 'out', '--site', './site.json');
    expect(end).toMatchObject({ exitCode: 0 });
    expect(modeOf(workspace, 'out/plan.json')).toBe('600');
  });

  test('a umask that closes everything closes what is compiled', async () => {
    const workspace = workspaceOf({ data: 0o644 });
    const words = [...simwrightWords, 'compile', 'workflow.ts', '--out', 'out'];
    await execa('bash', ['-c', 'umask 077; exec "$@"', 'bash', ...words], { cwd: workspace.cwd });
    expect(readableByOthers(workspace.path('out'))).toEqual([]);
  });
});
