import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectNothingLeft } from '../helpers/leftovers.js';
import { root, simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { frameworksPython } from '../runtime/orchestrator/support/python.js';
import { expectRightFriction } from './wall-model.js';

const found = await frameworksPython();
const why = 'missing' in found ? ` (skipped: ${found.missing})` : '';

describe.skipIf(why !== '')(`the wall model, with PyTorch in the store${why}`, () => {
  test('gives the friction of direct simulations', async () => {
    const workspace = new Workspace();
    const env = {
      // The workflow's python3 is the one that has the packages.
      PATH: `${dirname('python' in found ? found.python : '')}:${process.env['PATH']}`,
      SR_LOG_LEVEL: 'QUIET',
    };
    const workflow = join(root, 'examples/wall-model/workflow.ts');
    const end = await simwright({ cwd: workspace.cwd, env }, 'run', workflow, '--out', 'out');
    expect(end, `${end.stdout}${end.stderr}`).toMatchObject({ exitCode: 0 });
    expect(end.stdout).toMatch(/^ +Re +Re_tau +direct +off +verdict\n/);
    expect(end.stdout.match(/ ok$/gm)).toHaveLength(3);
    expect(workspace.read('out/run/channels/channels.err')).toBe('');
    expectRightFriction(workspace.read('out/run/channels/channels.json'));
    await expectNothingLeft(workspace.path('out'));
  });
});
