import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isNewEnough } from '../../src/runtime/engine/find-engine.js';
import { expectNothingLeft } from '../helpers/leftovers.js';
import { root, simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { builtModule, hasCompiler, servers } from '../runtime/engine/support/servers.js';

const server = servers.find(isNewEnough);
const hasServer = server !== undefined && hasCompiler;

/** A site that is this machine with another engine. */
async function siteWith(workspace: Workspace, engine: string): Promise<Record<string, string>> {
  workspace.write('site.json', JSON.stringify({ extends: 'local', name: 'own', engine }));
  if (engine === 'embedded') return {};
  mkdirSync(workspace.path('simwright/engine'), { recursive: true });
  copyFileSync(await builtModule(), workspace.path('simwright/engine/simwright.so'));
  return { XDG_DATA_HOME: workspace.cwd, SIMWRIGHT_ENGINE_SERVER: server?.path ?? '' };
}

test.each(['embedded', ...(hasServer ? ['redis'] : [])])(
  'the cavity with a store on its node (%s): two members within tolerance of the table and of the surrogate',
  async (engine) => {
    const workspace = new Workspace();
    const place = { cwd: workspace.cwd, env: await siteWith(workspace, engine) };
    const example = join(root, 'examples/cavity/colocated.ts');
    const end = await simwright(place, 'run', example, '--site', 'site.json', '--out', 'out');
    expect(end).toMatchObject({ exitCode: 0 });
    expect(workspace.members('out')).toEqual(['cavity_0 completed 0', 'cavity_1 completed 0']);
    for (const [index, reynolds] of [100, 400].entries()) {
      const output = workspace.read(`out/run/cavity/cavity_${index}/cavity_${index}.out`);
      expect(output).toMatch(new RegExp(`^Re ${reynolds}, U 0.15, 96 x 96 cells, until 60 L/U`));
      expect(output).toMatch(/\nsteady after \d+ steps\n/);
      expect(output).toContain('\ncheck: within tolerance of the table and of the surrogate\n');
      expect(workspace.read(`out/run/cavity/cavity_${index}/cavity.in`)).toMatch(
        new RegExp(`^ *reynolds *= *${reynolds}$`, 'm'),
      );
    }
    expect(workspace.read('out/plan.json')).toContain(`"engine": "${engine}"`);
    await expectNothingLeft(workspace.path('out'));
  },
);
