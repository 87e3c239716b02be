import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contours, streamFunction, vorticity } from '../../examples/cavity/fields.mjs';
import { parseGhia, readGhia } from '../../examples/cavity/ghia.mjs';
import { judge, TOLERANCE } from '../../examples/cavity/judge.mjs';
import { Cavity } from '../../examples/cavity/lattice.mjs';
import { drawCavities } from '../../examples/cavity/picture.mjs';
import { blockMeans, interpolate, PROFILE_STATIONS, profile } from '../../examples/cavity/profiles.mjs';
import { InputError, parseInput } from '../../examples/cavity/read-input.mjs';
import { runToSteady } from '../../examples/cavity/run-to-steady.mjs';

const EXAMPLE = fileURLToPath(new URL('../../examples/cavity', import.meta.url));
const TEMPLATE = readFileSync(join(EXAMPLE, 'cavity.in'), 'utf8');
const GRID = 48;

const configured = (reynolds: number | string, lid: number | string, grid: number | string) =>
  TEMPLATE.replace(';REYNOLDS;', String(reynolds)).replace(';LID;', String(lid)).replace(';GRID;', String(grid));

/** A steady flow on a coarse grid, in the shape that a member leaves in the store. */
function steadyMember(reynolds: number) {
  let velocity: Float64Array = new Float64Array();
  let steps = 0;
  for (const moment of runToSteady({ cells: GRID, lid: 0.1, reynolds })) {
    velocity = moment.velocity;
    steps = moment.cavity.steps;
  }
  const profileU = profile(velocity, GRID, 'u');
  const profileV = profile(velocity, GRID, 'v');
  const surrogate = Float32Array.from([...profileU, ...profileV]);
  return { name: 'cavity_0', reynolds, lid: 0.1, cells: GRID, steps, velocity, profileU, profileV, surrogate };
}

const member = steadyMember(100);

describe('the lattice', () => {
  it('keeps its mass', () => {
    const cavity = new Cavity({ cells: 32, lid: 0.1, reynolds: 400 });
    cavity.advance(2000);
    expect(Math.abs(cavity.excessMass())).toBeLessThan(1e-10);
  });

  it('gives the mirrored flow under a lid that moves the other way', () => {
    const cells = 16;
    const right = new Cavity({ cells, lid: 0.1, reynolds: 100 });
    const left = new Cavity({ cells, lid: -0.1, reynolds: -100 });
    right.advance(500);
    left.advance(500);
    const [a, b] = [right.velocity(), left.velocity()];
    for (let y = 0; y < cells; y += 1) {
      for (let x = 0; x < cells; x += 1) {
        const i = 2 * (y * cells + x);
        const mirrored = 2 * (y * cells + cells - 1 - x);
        // Both are in units of their own lid's velocity: u keeps its sign, v changes it.
        expect(b[mirrored]).toBeCloseTo(a[i] ?? Number.NaN, 12);
        expect(b[mirrored + 1]).toBeCloseTo(-(a[i + 1] ?? Number.NaN), 12);
      }
    }
  });

  it('gives the same bits twice', () => {
    const bits = () => {
      const cavity = new Cavity({ cells: 32, lid: 0.15, reynolds: 1000 });
      cavity.advance(300);
      return Buffer.from(cavity.velocity().buffer).toString('hex');
    };
    expect(bits()).toBe(bits());
  });

  it('has no net flow through any horizontal or vertical line', () => {
    const { velocity } = member;
    for (let k = 0; k < GRID; k += 1) {
      let across = 0;
      let up = 0;
      for (let j = 0; j < GRID; j += 1) {
        across += velocity[2 * (j * GRID + k)] ?? Number.NaN;
        up += velocity[2 * (k * GRID + j) + 1] ?? Number.NaN;
      }
      expect(Math.abs(across / GRID)).toBeLessThan(1e-3);
      expect(Math.abs(up / GRID)).toBeLessThan(1e-3);
    }
  });
});

describe('values between cells', () => {
  it('are those of a cubic, walls included', () => {
    const positions = Float64Array.of(0, 0.125, 0.375, 0.625, 0.875, 1);
    const cubic = (s: number) => 2 * s ** 3 - s ** 2 + 0.5 * s;
    const line = { positions, values: positions.map(cubic) };
    for (let k = 0; k <= 20; k += 1) expect(interpolate(line, k / 20)).toBeCloseTo(cubic(k / 20), 12);
  });

  it('are the wall values at the ends of a profile', () => {
    expect(PROFILE_STATIONS).toHaveLength(33);
    expect([member.profileU[0], member.profileU[32]]).toEqual([0, 1]);
    expect([member.profileV[0], member.profileV[32]]).toEqual([0, 0]);
  });

  it('average to the same mean in blocks', () => {
    const means = blockMeans(member.velocity, GRID);
    expect(means).toHaveLength(512);
    const mean = (values: Float64Array) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(means)).toBeCloseTo(mean(member.velocity), 12);
  });
});

describe('the table', () => {
  it('has 17 points a line for three Reynolds numbers, and one misprint', () => {
    const table = readGhia();
    expect([...table.keys()]).toEqual([100, 400, 1000]);
    const points = [...table].flatMap(([reynolds, { u, v }]) => [
      ...u.map((point) => ({ reynolds, line: 'u', ...point })),
      ...v.map((point) => ({ reynolds, line: 'v', ...point })),
    ]);
    expect(points).toHaveLength(3 * 34);
    expect(points.filter((point) => point.misprint)).toEqual([
      { reynolds: 400, line: 'v', s: 0.9063, value: -0.23827, misprint: true },
    ]);
  });

  it('is the same file in the Python example', () => {
    const copy = new URL('../../examples/cavity-python/ghia1982.csv', import.meta.url);
    expect(readFileSync(copy, 'utf8')).toBe(readFileSync(join(EXAMPLE, 'ghia1982.csv'), 'utf8'));
  });

  it.each(['line,s,re100\nu,0.5', 'line,s,re100\nw,0.5,1', 'line,s,re100\nu,0.5,one', 'line,s,hundred'])(
    'refuses %j and says which line',
    (text) => {
      expect(() => parseGhia(text)).toThrow(/^table, line [12]: /);
    },
  );
});

describe('the verdict', () => {
  it('passes a converged member', () => {
    const verdict = judge(member, readGhia());
    expect(verdict.failures).toEqual([]);
    expect(verdict.ghiaU?.deviation).toBeLessThan(TOLERANCE);
    expect(verdict.surrogate.deviation).toBeLessThan(1e-6);
  });

  it('names the points of a wrong profile', () => {
    const velocity = Float64Array.from(member.velocity, (value, i) => (i % 2 === 0 ? value * 1.15 : value));
    const { failures } = judge({ ...member, velocity }, readGhia());
    expect(failures).toContainEqual(expect.stringMatching(/^u at y = 0\.4531 is 0\.03\d+ U off the table/));
    expect(failures.filter((failure) => failure.startsWith('v'))).toEqual([]);
  });

  it('names the points of a wrong surrogate', () => {
    const surrogate = member.surrogate.with(40, (member.surrogate[40] ?? 0) + 0.03);
    const { failures } = judge({ ...member, surrogate }, readGhia());
    expect(failures).toEqual(["v at x = 0.21875 is 0.0300 U off the surrogate's answer (at most 0.02)"]);
  });

  it('fails what is not a number', () => {
    const velocity = new Float64Array(member.velocity.length).fill(Number.NaN);
    expect(judge({ ...member, velocity }, readGhia()).failures).not.toEqual([]);
    expect(judge({ ...member, surrogate: new Float32Array(66).fill(Number.NaN) }, readGhia()).failures).toHaveLength(
      66,
    );
  });

  it('leaves the table out for a Reynolds number it does not have', () => {
    const verdict = judge({ ...member, reynolds: 250 }, readGhia());
    expect(verdict.ghiaU).toBeUndefined();
    expect(verdict.failures).toEqual([]);
  });
});

describe('the input file', () => {
  it('is read from the configured template', () => {
    expect(parseInput(configured(400, 0.15, 96), 'cavity.in')).toEqual({
      reynolds: 400,
      lid: 0.15,
      grid: 96,
      endTime: 60,
      steadyChange: 1e-5,
      surrogateTime: 10,
    });
  });

  it.each([
    ['a tag left over', TEMPLATE, /cavity\.in:\d+: reynolds = ;REYNOLDS; should be a number from 1 to 10000/],
    [
      'a grid that no block fits',
      configured(100, 0.1, 50),
      /grid = 50 should be a number from 16 to 1024 and a multiple/,
    ],
    ['an unknown key', `${configured(100, 0.1, 32)}&flow\nviscosity = 1\n/\n`, /unknown key 'viscosity' in &flow/],
    ['a missing key', configured(100, 0.1, 32).replace(/^ +lid .*$/m, ''), /missing: flow\.lid/],
    ['a key twice', `${configured(100, 0.1, 32)}&flow\nlid = 0.1\n/\n`, /'lid' is given twice/],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseInput(text, 'cavity.in')).toThrow(InputError);
    expect(() => parseInput(text, 'cavity.in')).toThrow(message);
  });
});

describe('the picture', () => {
  it('is one self-contained SVG with a tile a member and a hollow misprint', () => {
    const svg = drawCavities([member, { ...member, name: 'cavity_1', reynolds: 400 }], readGhia());
    expect(svg.match(/<image [^>]*href="data:image\/png;base64,/g)).toHaveLength(3);
    expect(svg.match(/fill="#fff" stroke="#d55e00"/g)).toHaveLength(1);
    expect(svg.match(/href="(?!data:)/)).toBeNull();
    expect(svg).not.toContain('NaN');
  });

  it('has the strength and sense of the primary vortex', () => {
    const stream = streamFunction(member.velocity, GRID);
    // Ghia, Ghia and Shin give -0.1034 for Re 100.
    expect(Math.min(...stream.values)).toBeCloseTo(-0.1034, 2);
    const [loop, ...others] = contours(stream, -0.08);
    expect(others).toEqual([]);
    expect(loop?.at(0)).toEqual(loop?.at(-1));
    const centre = vorticity(member.velocity, GRID)[(GRID / 2) * GRID + GRID / 2] ?? Number.NaN;
    expect(centre).toBeLessThan(0);
  });
});

describe('the solver without a store', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'cavity-'));
    cpSync(EXAMPLE, folder, { recursive: true, filter: (file) => !file.includes('training') });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const solve = (input: string, ...args: string[]) => {
    writeFileSync(join(folder, 'cavity.in'), input);
    const { SSDB: _, ...env } = process.env;
    return spawnSync(process.execPath, ['solver.mjs', ...args], { cwd: folder, env, encoding: 'utf8' });
  };

  it('runs until the flow is steady', () => {
    const { status, stdout, stderr } = solve(configured(50, 0.2, 16));
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^steady after \d+ steps$/m);
  });

  it('exits 2 on a mistake in its input and on an unknown option', () => {
    const missing = solve(configured(100, 0.1, ''));
    expect(missing.status).toBe(2);
    expect(missing.stderr).toMatch(/^solver: cavity\.in:\d+: grid = {2}should be a number/);
    expect(solve(configured(100, 0.1, 32), '--fast').status).toBe(2);
  });

  it('exits 143 on SIGTERM', async () => {
    writeFileSync(join(folder, 'cavity.in'), configured(1000, 0.1, 96));
    const { SSDB: _, ...env } = process.env;
    const solver = spawn(process.execPath, ['solver.mjs'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
    const exit = once(solver, 'exit');
    await once(solver.stdout, 'data');
    solver.kill('SIGTERM');
    expect(await exit).toEqual([143, null]);
  });
});
