import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectNothingLeft } from '../helpers/leftovers.js';
import { root, simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';

test('the cavity with a store on its node: two members within tolerance of the table and of the surrogate', async () => {
  const workspace = new Workspace();
  const end = await simwright(workspace, 'run', join(root, 'examples/cavity/colocated.ts'), '--out', 'out');
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
  await expectNothingLeft(workspace.path('out'));
});
