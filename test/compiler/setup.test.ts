import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa, execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runtimeFiles, writeFolder } from '../../src/compiler/index.js';
import { command, experiment } from '../../src/index.js';
import type { AuthoredExperiment } from '../../src/ir/index.js';
import { waitUntil } from '../runtime/support/wait-until.js';
import { compileFor, lint, runtimeLines, scriptOf, targetNames } from './support/compile-experiment.js';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'simwright-setup-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function written(name: string, open: AuthoredExperiment): string {
  const folder = join(scratch, name);
  writeFolder(folder, [...compileFor('local', open).files, ...runtimeFiles()]);
  return folder;
}

const isBuilt = existsSync(new URL('../../dist/bundle/simwright.mjs', import.meta.url));

describe('setup', () => {
  // The one scheduler that takes no job without a walltime is Cobalt.
  const open = experiment('e')
    .batch({ walltime: '00:10:00' })
    .model('m', command('x', 'a b'))
    .setup({ modules: ['gcc/12', 'a b'], commands: ['export A="$UNSET_VARIABLE"'] });

  test.each(targetNames)('is a subshell of its own around the launch for %s', (target) => {
    const compiled = compileFor(target, open);
    const script = scriptOf(compiled, 'e');
    expect(script).toMatch(/^#!\/bin\/bash -l\n/);
    expect(script).toContain(
      [
        '(',
        '  # If a line fails before the launch, those that wait for it are told.',
        `  trap 'runtime skip m -- "its setup failed"' EXIT`,
        '  set +u',
        '  module load gcc/12',
        "  module load 'a b'",
        '  export A="$UNSET_VARIABLE"',
        '  set -u',
        '  runtime launch m -- ',
      ].join('\n'),
    );
    expect(script).toContain('\n) & launched+=($!)\nawait_launches\n');
    expect(runtimeLines(script)).toHaveLength(1);
    expect(lint(compiled)).toBe('');
  });

  test.runIf(isBuilt)(
    'reaches its application alone, and signals reach the application (needs npm run build)',
    async () => {
      const app = 'trap "echo told >got-term; exit 3" TERM; echo "$WHO" >who; while true; do sleep 0.05; done';
      const folder = written(
        'signals',
        experiment('e')
          .model('with', command('bash', '-c', app))
          .setup({ commands: ['export WHO=setup'] })
          .model('without', command('bash', '-c', app).env({ PLAIN: 1 })),
      );
      const script = execa('bash', [join(folder, 'jobs/e.sh')], { cwd: folder, reject: false, env: { WHO: 'job' } });
      const runs = (name: string) => existsSync(join(folder, 'run', name, 'who'));
      await waitUntil('both run', () => runs('with') && runs('without'), 30);
      script.kill('SIGTERM');
      const { exitCode } = await script;
      expect(readFileSync(join(folder, 'run/with/who'), 'utf8')).toBe('setup\n');
      expect(readFileSync(join(folder, 'run/without/who'), 'utf8')).toBe('job\n');
      expect(readFileSync(join(folder, 'run/with/got-term'), 'utf8')).toBe('told\n');
      expect(exitCode).toBe(143);
    },
  );

  test.runIf(isBuilt)('that fails ends what waits for its application (needs npm run build)', () => {
    const folder = written(
      'failing',
      experiment('e')
        .model('first', command('true'))
        .setup({ commands: ['false'] })
        .model('second', command('true'))
        .after('first'),
    );
    const { exitCode, stderr } = execaSync('bash', [join(folder, 'jobs/e.sh')], { cwd: folder, reject: false });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('first is not launched: its setup failed');
    expect(stderr).toContain("second is not launched: it waits for 'first' to have completed, but first was skipped");
  });
});

describe.runIf(isBuilt)('the runtime of what was compiled (needs npm run build)', () => {
  const runtime = (folder: string, words: readonly string[], env: Record<string, string> = {}) =>
    execaSync('node', ['runtime/simwright.mjs', ...words], {
      cwd: folder,
      reject: false,
      env: { SIMWRIGHT_JOB: 'e', SIMWRIGHT_JOB_ID: '1', ...env },
    });

  test('runs the members of one element', () => {
    const folder = written('element', experiment('e').ensemble('s', command('true')).replicas(5));
    const plan = JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8'));
    plan.jobs[0].array = { size: 2, perElement: 3 };
    writeFileSync(join(folder, 'plan.json'), JSON.stringify(plan));
    const env = { SIMWRIGHT_ARRAY_INDEX: '1' };
    expect(runtime(folder, ['launch', 's', '--element', '1', '--', 'true'], env).stdout).toContain(
      's (2 members): 2 completed',
    );
    expect([2, 3, 4].map((index) => existsSync(join(folder, `run/s/s_${index}`)))).toEqual([false, true, true]);
    expect(runtime(folder, ['launch', 's', '--element', '2', '--', 'true'], env)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('error[RUN1013]: job e has no element 2: its elements are 0 to 1'),
    });
    expect(runtime(folder, ['launch', 's', '--element', '1', '--member', '1', '--', 'true'], env)).toMatchObject({
      exitCode: 2,
    });
  });

  test('refuses stores that it cannot run yet, by their code', () => {
    const one = command('true').tasks(2).nodes(2);
    const open = experiment('e').model('m', one).colocate({ tcp: true, interface: 'ib0' });
    const folder = written('interface', open);
    // This machine is one node.
    const plan = JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8'));
    plan.stores[0].nodes = 2;
    writeFileSync(join(folder, 'plan.json'), JSON.stringify(plan));
    const { exitCode, stderr } = runtime(folder, ['up', 'm']);
    expect([exitCode, /error\[(\w+)\]: (.*)/.exec(stderr)?.slice(1)]).toEqual([
      1,
      ['RUN1011', "store 'm': a colocated store on interface 'ib0' of 2 nodes is not there yet"],
    ]);
  });

  test('pins a colocated store to the CPUs that it is given', () => {
    const pid = `JSON.parse(fs.readFileSync('../stores/m/address.json', 'utf8')).nodes[0].pid`;
    const status = `cat /proc/"$(node -p "${pid}")"/task/*/status`;
    const pinned = (pin: number[]) =>
      experiment('e')
        .model('m', command('bash', '-c', status))
        .colocate({ uds: true, cpus: 1, pin });
    const folder = written('pin', pinned([0]));
    expect(execaSync('bash', [join(folder, 'jobs/e.sh')], { cwd: folder, reject: false }).exitCode).toBe(0);
    const lists = readFileSync(join(folder, 'run/m/m.out'), 'utf8').match(/Cpus_allowed_list:\s*\S+/g) ?? [];
    expect(lists.length).toBeGreaterThan(1);
    expect(lists.filter((list) => /[-,]/.test(list))).toEqual([]);
    const wrong = written('pin-wrong', pinned([4096]));
    const { stderr, exitCode } = execaSync('bash', [join(wrong, 'jobs/e.sh')], { cwd: wrong, reject: false });
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('there is no CPU 4096 to pin it to')]);
  });

  test('waits for a key in a store, and no longer than its writer lives', () => {
    const client = "import { Client, tensor } from 'simwright/client';";
    const write = `${client} const c = await Client.connect(); await c.putTensor('ready', tensor(new Float32Array(1), [1])); await c.close(); setTimeout(() => {}, 500);`;
    const node = (text: string) => command('node', '--input-type=module', '-e', text);
    const waits = (key: string) =>
      experiment('e')
        .orchestrator()
        .model('writer', node(write))
        .model('reader', command('true'))
        .after('writer', { key });
    const run = (name: string, key: string) => {
      const folder = written(name, waits(key));
      return execaSync('bash', [join(folder, 'jobs/e.sh')], { cwd: folder, reject: false });
    };
    expect(run('key', 'ready').stdout).toContain('reader: 1 completed');
    const never = run('no-key', 'raedy');
    expect(never.exitCode).toBe(1);
    expect(never.stderr).toContain(
      "it waits for key 'raedy' in store 'orchestrator', and 'writer' has ended without writing it",
    );
  });
});
