import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test, vi } from 'vitest';
import { memberName, Plan } from '../../src/ir/index.js';
import { parseNpy } from '../../src/runtime/npy/npy.js';
import { StatusReader } from '../../src/runtime/status/index.js';
import { expectNothingLeft } from '../helpers/leftovers.js';
import { root, simwrightWords } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { type Expectation, expectations, type Need } from './fixtures/expectations.js';
import { smartredisPython } from './orchestrator/support/python.js';

const fixtures = join(root, 'fixtures/workflows');
const programs = join(root, 'fixtures/programs');
const python = await smartredisPython();

/** Why a need cannot be met here; absent if it can. */
const missing: Readonly<Record<Need, string | undefined>> = {
  mpirun: triedTo('mpirun', '--version') ? undefined : 'mpirun is missing',
  smartredis: 'missing' in python ? `smartredis is missing: ${python.missing}` : undefined,
  network: triedTo(...inNetworkWithIb0('true'))
    ? undefined
    : 'a network of its own cannot be made (unshare, ip; as root)',
};

// A row waits as much as it computes; more at once only make each slower.
vi.setConfig({ maxConcurrency: 3 });

test('every workflow has its row', () => {
  expect(Object.keys(expectations).sort()).toEqual(readdirSync(fixtures).sort());
});

describe('simwright run', { concurrent: true }, () => {
  for (const [name, expected] of Object.entries(expectations)) {
    const lacks = (expected.needs ?? []).flatMap((need) => missing[need] ?? []);
    const why = lacks.length > 0 ? ` (skipped: ${lacks.join(', ')})` : '';
    test.skipIf(lacks.length > 0)(
      `${name}: ${expected.shows}${why}`,
      async (context) => {
        const workspace = new Workspace(tmpdir(), context);
        const end = await run(workspace, name, expected);
        const says = `${end.stderr}\n${end.stdout}`;
        expect(end.exitCode, says).toBe(expected.exit ?? 0);
        for (const text of expected.says ?? []) expect(says).toContain(text);

        const out = workspace.path('out');
        expect(membersOf(out)).toEqual(expected.members);
        for (const [path, content] of Object.entries(expected.files)) {
          // A local job's log names each start.
          const text = workspace.read('out', path).replace(/^--- .*\n/gm, '');
          expect(typeof content === 'string' ? text : text.trimEnd().split('\n').sort(), path).toEqual(content);
        }
        for (const [path, part] of Object.entries(expected.parts ?? {}))
          expect(workspace.read('out', path)).toContain(part);
        expectArrays(out, expected.arrays ?? {});
        await expectNothingLeft(out);
      },
      120_000,
    );
  }
});

function expectArrays(out: string, arrays: NonNullable<Expectation['arrays']>): void {
  for (const [path, values] of Object.entries(arrays)) {
    const bytes = readFileSync(join(out, path));
    const { dtype, shape, dataAt } = parseNpy(bytes);
    expect([dtype, shape], path).toEqual(['DOUBLE', [values.length]]);
    expect(
      values.map((_, index) => bytes.readDoubleLE(dataAt + index * 8)),
      path,
    ).toEqual(values);
    expect(readdirSync(join(out, dirname(path))).sort()).toEqual(
      Object.keys(arrays)
        .filter((other) => dirname(other) === dirname(path))
        .map((other) => basename(other))
        .sort(),
    );
  }
}

/** Runs a fixture with its own programs first on PATH, then those that fixtures share. */
async function run(workspace: Workspace, name: string, { needs = [], options = [] }: Expectation) {
  const own = join(fixtures, name, 'bin');
  const line = [...simwrightWords, 'run', join(fixtures, name, 'workflow.ts'), '--out', 'out', ...options];
  const [program, ...words] = needs.includes('network') ? inNetworkWithIb0(...line) : line;
  const interpreter = 'python' in python ? [dirname(python.python)] : [];
  return await execa(program ?? '', words, {
    cwd: workspace.cwd,
    reject: false,
    stdin: 'ignore',
    env: {
      PATH: [own, programs, ...interpreter, process.env['PATH']].join(':'),
      PYTHONPATH: own,
      SR_LOG_LEVEL: 'QUIET',
      // Modules that a user has built are none of a fixture's.
      XDG_DATA_HOME: workspace.cwd,
      OMP_NUM_THREADS: '',
      OMPI_ALLOW_RUN_AS_ROOT: '1',
      OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
    },
  });
}

/** Every member as `NAME STATE EXIT`, by entity and index; none if nothing has been compiled. */
function membersOf(out: string): string[] {
  if (!existsSync(join(out, 'plan.json'))) return [];
  const plan = Plan.parse(JSON.parse(readFileSync(join(out, 'plan.json'), 'utf8')));
  const reader = new StatusReader(out);
  reader.refresh();
  return plan.entities.flatMap((entity) => {
    const { members } = reader.of(entity.name);
    return Array.from({ length: entity.members.count }, (_, index) => {
      const event = members.get(index);
      return [memberName(entity, index), event?.state ?? 'pending', event?.exit ?? ''].join(' ').trim();
    });
  });
}

/** A line that runs in a network of its own, in which ib0 is up. */
function inNetworkWithIb0(...line: readonly string[]): [string, ...string[]] {
  const setup = [
    'ip link set lo up',
    'ip link add ib0 type veth peer name switch',
    'ip addr add 10.77.0.1/24 dev ib0',
    'ip link set switch up',
    'ip link set ib0 up',
    'exec "$@"',
  ];
  return ['unshare', '--net', 'sh', '-c', setup.join(' && '), '-', ...line];
}

function triedTo(program: string, ...words: readonly string[]): boolean {
  try {
    execFileSync(program, words, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
