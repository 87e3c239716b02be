import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { memberName, Plan } from '../../src/ir/index.js';
import { StatusReader } from '../../src/runtime/status/index.js';
import { expectNothingLeft } from '../helpers/leftovers.js';
import { root, simwright, simwrightWords } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { expectations, type Need } from './fixtures/expectations.js';
import { smartredisPython } from './orchestrator/support/python.js';

const fixtures = join(root, 'fixtures/workflows');
const programs = join(root, 'fixtures/programs');
/** Its members are more than a test can run. */
const tooLarge = 'large-array';
const python = await smartredisPython();

/** Why a need cannot be met here; absent if it can. */
const missing: Readonly<Record<Need, string | undefined>> = {
  mpirun: triedTo('mpirun', '--version') ? undefined : 'mpirun is missing',
  smartredis: 'missing' in python ? `smartredis is missing: ${python.missing}` : undefined,
  network: triedTo(...inNetworkWithIb0('true'))
    ? undefined
    : 'a network of its own cannot be made (unshare, ip; as root)',
};

test('every workflow has its row', () => {
  expect([...Object.keys(expectations), tooLarge].sort()).toEqual(readdirSync(fixtures).sort());
});

test('of a hundred thousand members any one can be run: no more of them here', async () => {
  const workspace = new Workspace();
  const place = { cwd: workspace.cwd };
  const workflow = join(fixtures, tooLarge, 'workflow.ts');
  expect(await simwright(place, 'compile', workflow, '--out', 'out')).toMatchObject({ exitCode: 0 });
  const out = workspace.path('out');
  for (const index of [0, 98_765, 99_999]) {
    const words = ['launch', 'sample', '--member', String(index), '--', 'sample', '{args}'];
    await execa(process.execPath, ['runtime/simwright.mjs', ...words], {
      cwd: out,
      env: {
        SIMWRIGHT_JOB: 'sample',
        SIMWRIGHT_JOB_ID: String(process.pid),
        PATH: [programs, process.env['PATH']].join(':'),
        OMP_NUM_THREADS: '',
      },
    });
  }
  expect(workspace.read('out/run/sample/sample_98765/sample_98765.out')).toBe(
    'sample 0/1 [-a] [9] [-b] [8] [-c] [7] [-d] [6] [-e] [5]\n',
  );
  expect(readdirSync(workspace.path('out/run/sample')).sort()).toEqual(['sample_0', 'sample_98765', 'sample_99999']);
});

describe.each(Object.entries(expectations))('simwright run %s', (name, expected) => {
  const lacks = (expected.needs ?? []).flatMap((need) => missing[need] ?? []);
  const why = lacks.length > 0 ? ` (skipped: ${lacks.join(', ')})` : '';
  test.skipIf(lacks.length > 0)(
    `${expected.shows}${why}`,
    async () => {
      const workspace = new Workspace();
      const end = await run(workspace, name, expected.needs?.includes('network') === true);
      const says = `${end.stderr}\n${end.stdout}`;
      expect(end.exitCode, says).toBe(expected.exit ?? 0);
      for (const text of expected.says ?? []) expect(says).toContain(text);

      const out = workspace.path('out');
      expect(membersOf(out)).toEqual(expected.members);
      for (const [path, content] of Object.entries(expected.files)) {
        const text = workspace.read('out', path);
        expect(typeof content === 'string' ? text : text.trimEnd().split('\n').sort(), path).toEqual(content);
      }
      await expectNothingLeft(out);
    },
    120_000,
  );
});

/** Runs a fixture with its own programs first on PATH, then those that fixtures share. */
async function run(workspace: Workspace, name: string, hasNetwork: boolean) {
  const own = join(fixtures, name, 'bin');
  const line = [...simwrightWords, 'run', join(fixtures, name, 'workflow.ts'), '--out', 'out'];
  const [program, ...words] = hasNetwork ? inNetworkWithIb0(...line) : line;
  const interpreter = 'python' in python ? [dirname(python.python)] : [];
  return await execa(program ?? '', words, {
    cwd: workspace.cwd,
    reject: false,
    stdin: 'ignore',
    env: {
      PATH: [own, programs, ...interpreter, process.env['PATH']].join(':'),
      PYTHONPATH: own,
      SR_LOG_LEVEL: 'QUIET',
      OMP_NUM_THREADS: '',
      OMPI_ALLOW_RUN_AS_ROOT: '1',
      OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
    },
  });
}

/** Every member as `NAME STATE EXIT`, by entity and index. */
function membersOf(out: string): string[] {
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
