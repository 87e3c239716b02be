import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectNothingLeft } from '../helpers/leftovers.js';
import { root, simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { smartredisPython } from '../runtime/orchestrator/support/python.js';

interface Found {
  readonly fields: number;
  readonly readWhileRunning: number;
  readonly strouhal: number;
  readonly published: number;
  readonly drag: number;
  readonly lift: number;
}

const found = await smartredisPython();
const why = 'missing' in found ? ` (skipped: no smartredis: ${found.missing})` : '';

describe.skipIf('missing' in found)(`the flow past a cylinder, with the smartredis package${why}`, () => {
  test.each([
    { name: 'workflow.ts', analysis: 'analysis', fields: 160, entities: ['simulation', 'analysis'] },
    { name: 'colocated.ts', analysis: 'simulation', fields: 120, entities: ['simulation'] },
  ])(
    '$name: is analysed while it runs, and sheds its vortices as published',
    async ({ name, analysis, fields, entities }) => {
      const workspace = new Workspace();
      const env = {
        // The workflow's python3 is the one that has the package.
        PATH: `${dirname('python' in found ? found.python : '')}:${process.env['PATH']}`,
        SR_LOG_LEVEL: 'QUIET',
      };
      const workflow = join(root, 'examples/cylinder', name);
      const end = await simwright({ cwd: workspace.cwd, env }, 'run', workflow, '--out', 'out');
      expect(end).toMatchObject({ exitCode: 0 });
      for (const entity of entities) expect(workspace.read(`out/run/${entity}/${entity}.err`)).toBe('');

      const folder = workspace.path('out/run', analysis);
      const result = JSON.parse(readFileSync(join(folder, 'cylinder.json'), 'utf8')) as Found;
      expect(result.fields).toBe(fields);
      // On a busy machine the analysis falls behind.
      expect(result.readWhileRunning).toBeGreaterThan(fields / 10);
      expect(result.published).toBeCloseTo(0.1643, 4);
      expect(result.strouhal).toBeCloseTo(0.1636, 3);
      expect(result.drag).toBeCloseTo(1.53, 1);
      expect(result.lift).toBeCloseTo(0.35, 1);

      const frames = readdirSync(join(folder, 'frames')).sort();
      expect(frames).toHaveLength(fields / 4);
      expect([frames[0], frames.at(-1)]).toEqual(['wake_0004.png', `wake_${String(fields).padStart(4, '0')}.png`]);
      for (const frame of frames) expectPicture(readFileSync(join(folder, 'frames', frame)));
      await expectNothingLeft(workspace.path('out'));
    },
    540_000,
  );
});

/** Expects a PNG file of 18 × 8 diameters of eight cells, six pixels each. */
function expectPicture(png: Buffer): void {
  expect(png.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([18 * 8 * 6, 8 * 8 * 6]);
  expect(png.subarray(-8, -4).toString('latin1')).toBe('IEND');
}
