import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectNothingLeft } from '../helpers/leftovers.js';
import { root, simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { smartredisPython } from '../runtime/orchestrator/support/python.js';

interface Member {
  readonly name: string;
  readonly reynolds: number;
  readonly lid: number;
  readonly steps: number;
  readonly offTable: { readonly u: number; readonly v: number };
  readonly offNumpy: number;
  readonly failures: readonly string[];
}

const found = await smartredisPython();
const why = 'missing' in found ? ` (skipped: no smartredis: ${found.missing})` : '';

describe.skipIf('missing' in found)(`the cavity in Python, with the smartredis package${why}`, () => {
  test('four members and their analysis', async () => {
    const python = 'python' in found ? found.python : '';
    const workspace = new Workspace();
    const env = {
      // The workflow's python3 is the one that has the package.
      PATH: `${dirname(python)}:${process.env['PATH']}`,
      SR_LOG_LEVEL: 'QUIET',
    };
    const workflow = join(root, 'examples/cavity-python/workflow.ts');
    const end = await simwright({ cwd: workspace.cwd, env }, 'run', workflow, '--out', 'out');
    expect(end).toMatchObject({ exitCode: 0 });
    expect(workspace.members('out')).toEqual([0, 1, 2, 3].map((index) => `cavity_${index} completed 0`));

    const { members } = JSON.parse(workspace.read('out/run/analysis/cavity.json')) as { members: Member[] };
    expect(members.map(({ name, reynolds, lid, steps }) => [name, reynolds, lid, steps])).toEqual([
      ['cavity_0', 100, 0.1, 8160],
      ['cavity_1', 100, 0.15, 5440],
      ['cavity_2', 400, 0.1, 17280],
      ['cavity_3', 400, 0.15, 11520],
    ]);
    for (const { reynolds, offTable, offNumpy, failures } of members) {
      expect(failures).toEqual([]);
      expect(offTable.u).toBeCloseTo(reynolds === 100 ? 0.0041 : 0.0114, 3);
      expect(offTable.v).toBeCloseTo(reynolds === 100 ? 0.0078 : 0.0067, 3);
      expect(offNumpy).toBeLessThan(1e-6);
    }
    expect(end.stdout).toMatch(/^member +Re +U +steps/);
    expect(end.stdout.match(/ ok$/gm)).toHaveLength(4);
    await expectNothingLeft(workspace.path('out'));
  });
});
