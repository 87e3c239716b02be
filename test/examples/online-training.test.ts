import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectNothingLeft } from '../helpers/leftovers.js';
import { root, simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { frameworksPython } from '../runtime/orchestrator/support/python.js';
import { expectLearned } from './online-training.js';

const found = await frameworksPython();
const why = 'missing' in found ? ` (skipped: ${found.missing})` : '';

describe.skipIf(why !== '')(`training while cavities run, with PyTorch${why}`, () => {
  test('a network is learnt and used while its producers run, and foretells a cavity that it has not seen', async () => {
    const workspace = new Workspace();
    const env = {
      // The workflow's python3 is the one that has the packages.
      PATH: `${dirname('python' in found ? found.python : '')}:${process.env['PATH']}`,
      SR_LOG_LEVEL: 'QUIET',
    };
    const workflow = join(root, 'examples/online-training/workflow.ts');
    const end = await simwright({ cwd: workspace.cwd, env }, 'run', workflow, '--out', 'out');
    expect(end, `${end.stdout}${end.stderr}`).toMatchObject({ exitCode: 0 });
    expect(end.stderr).not.toMatch(/^warning/m);
    for (const name of ['trainer', 'held-out']) expect(workspace.read(`out/run/${name}/${name}.err`)).toBe('');
    expectLearned((path) => workspace.read('out', path));
    await expectNothingLeft(workspace.path('out'));
  }, 540_000);
});
