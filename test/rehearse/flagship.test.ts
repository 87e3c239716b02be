import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { root, simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { lacks, orSkipped } from '../runtime/engine/support/lacks.js';
import { builtModule } from '../runtime/engine/support/servers.js';

vi.setConfig({ testTimeout: 180_000 });

const results = ['analysis.out', 'cavity.json', 'cavity.svg'] as const;

/** The flagship on a grid that two of its six members solve in a second, with a store as given. */
function smallFlagship(store = ''): Workspace {
  const workspace = new Workspace();
  const example = join(root, 'examples/cavity');
  const files = readdirSync(example).filter((name) => /\.(mjs|in|csv|onnx)$/.test(name));
  for (const name of files) cpSync(join(example, name), workspace.path(name));
  const text = readFileSync(join(example, 'workflow.ts'), 'utf8');
  const small = text.replace('[100, 400, 1000]', '[100]').replace('GRID: 96', 'GRID: 32');
  expect(small.length).toBe(text.length - ', 400, 1000'.length);
  expect(small).toContain('.orchestrator()');
  workspace.write('workflow.ts', small.replace('.orchestrator()', `.orchestrator(${store})`));
  return workspace;
}

test('the flagship rehearsed for Slurm, PBS and LSF gives the same table as a run on this machine, byte for byte', async () => {
  const workspace = smallFlagship();
  const rehearsed = async (site: string) => {
    const compiled = await simwright(workspace, 'compile', 'workflow.ts', '--site', site, '--out', site);
    expect(compiled.exitCode, compiled.stderr).toBe(0);
    const end = await simwright(workspace, 'rehearse', site);
    expect(end.exitCode, `${end.stderr}${end.stdout}`).toBe(0);
  };
  const sites = ['slurm', 'pbs', 'lsf'];
  const [local] = await Promise.all([
    simwright(workspace, 'run', 'workflow.ts', '--out', 'local'),
    ...sites.map(rehearsed),
  ]);
  expect(local.exitCode, local.stderr).toBe(0);
  expect(local.stdout).toMatch(
    /^member +Re .*\n[- ]+\ncavity_0 +100 +0\.1 +32 .* ok\ncavity_1 +100 +0\.15 +32 .* ok\n$/,
  );
  for (const site of sites) {
    expect(resultsOf(workspace, `${site}/rehearsal`), site).toEqual(resultsOf(workspace, 'local'));
    expect(workspace.members(`${site}/rehearsal`), site).toEqual(workspace.members('local'));
  }
});

test.skipIf(lacks !== '')(
  orSkipped("the flagship's table is the same, byte for byte, from a server and from three shards", lacks),
  async () => {
    const data = new Workspace();
    mkdirSync(data.path('simwright/engine'), { recursive: true });
    cpSync(await builtModule(), data.path('simwright/engine/simwright.so'));
    const stores = ['', "{ engine: 'redis' }", "{ engine: 'redis', shards: 3 }"];
    const [embedded, ...onServers] = await Promise.all(
      stores.map(async (store) => {
        const workspace = smallFlagship(store);
        const where = { cwd: workspace.cwd, env: { XDG_DATA_HOME: data.cwd } };
        const end = await simwright(where, 'run', 'workflow.ts', '--out', 'out');
        expect(end.exitCode, `${store} ${end.stderr}`).toBe(0);
        return resultsOf(workspace, 'out');
      }),
    );
    expect(onServers).toEqual([embedded, embedded]);
  },
);

function resultsOf(workspace: Workspace, folder: string): string[] {
  return results.map((name) => readFileSync(workspace.path(folder, 'run/analysis', name), 'latin1'));
}
