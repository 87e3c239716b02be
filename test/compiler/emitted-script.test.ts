import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { execa, execaSync } from 'execa';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { compile, loadSite, writeFolder } from '../../src/compiler/index.js';
import { command, experiment } from '../../src/dsl/index.js';
import { type AuthoredExperiment, authoredExperiment } from '../../src/ir/index.js';
import { builtInSites } from '../../src/sites/built-in.js';
import { waitUntil } from '../runtime/support/wait-until.js';
import { word } from '../targets/word.js';
import { workspace } from './support/workspace.js';

let local: Awaited<ReturnType<typeof loadSite>>;
beforeAll(async () => {
  local = await loadSite('local', builtInSites);
});

/** A stub in the place of Node: writes its words to calls/NUMBER, then does what `body` says; `$1` is the runtime, `$2` the verb. */
function stub(folder: string, body = ':'): Readonly<Record<string, string>> {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  mkdirSync(join(folder, 'calls'), { recursive: true });
  const file = join(folder, 'bin/node');
  writeFileSync(
    file,
    `#!/bin/bash\n[ "$1" != --version ] || { echo v20.19.0; exit; }\nprintf '%s\\0' "$@" >"$CALLS/$BASHPID"\n${body}\n`,
  );
  chmodSync(file, 0o755);
  return { PATH: `${join(folder, 'bin')}:${process.env['PATH']}`, CALLS: join(folder, 'calls') };
}

function calls(folder: string): string[][] {
  return readdirSync(join(folder, 'calls'))
    .sort((a, b) => Number(a) - Number(b))
    .map((name) =>
      readFileSync(join(folder, 'calls', name), 'utf8')
        .split('\0')
        .slice(0, -1),
    );
}

function write(builder: AuthoredExperiment, folder: string): void {
  const { files } = compile({ ...builder[authoredExperiment], file: join(folder, 'workflow.ts') }, local);
  writeFolder(join(folder, 'out'), files);
}

describe('a whole job script, run by bash', () => {
  test('hands every word of a command to the runtime, byte for byte', () => {
    const folder = workspace({});
    const env = stub(folder);
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 30 }),
        word.filter((text) => text !== '' && !text.includes('/')),
        (args, executable) => {
          rmSync(join(folder, 'calls'), { recursive: true });
          mkdirSync(join(folder, 'calls'));
          rmSync(join(folder, 'out'), { recursive: true, force: true });
          write(experiment('words').model('m', command(executable, ...args)), folder);
          execaSync('bash', [join(folder, 'out/jobs/words.sh')], { env });
          expect(calls(folder)).toContainEqual(['runtime/simwright.mjs', 'launch', 'm', '--', executable, ...args]);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('starts stores, launches, and ends what is left, in this order', () => {
    const folder = workspace({});
    const env = stub(folder);
    write(experiment('e').orchestrator().model('m', command('true')), folder);
    execaSync('bash', ['out/jobs/e.sh'], { env, cwd: folder });
    expect(calls(folder).map((words) => words.slice(1, 3))).toEqual([
      ['up', 'orchestrator'],
      ['launch', 'm'],
      ['down'],
    ]);
  });

  test('counts CPUs, not the threads that OpenMP is given', () => {
    const folder = workspace({});
    write(experiment('e').model('m', command('true')), folder);
    const counted = (env: Readonly<Record<string, string>>) => {
      const all = { ...stub(folder, 'echo "$SIMWRIGHT_CPUS_PER_NODE" >"$CALLS/../cpus"'), ...env };
      execaSync('bash', ['out/jobs/e.sh'], { env: all, cwd: folder });
      return Number(readFileSync(join(folder, 'cpus'), 'utf8'));
    };
    const cpus = availableParallelism();
    expect(counted({ OMP_NUM_THREADS: String(cpus + 1) })).toBe(cpus);
    expect(counted({ OMP_THREAD_LIMIT: '1' })).toBe(cpus);
  });

  test.each(['HUP', 'INT', 'TERM', 'USR2'])('cleans up though SIG%s comes as soon as that begins', (signal) => {
    const folder = workspace({});
    const env = stub(folder, `[ "$2" != down ] || { kill -s ${signal} $$ && echo >"$CALLS/cleaned"; }`);
    write(experiment('e').model('m', command('true')), folder);
    execaSync('bash', ['out/jobs/e.sh'], { env, cwd: folder });
    expect(readdirSync(join(folder, 'calls'))).toContain('cleaned');
  });

  test('exits with the highest code of its applications, even if ending fails', () => {
    const folder = workspace({});
    const env = stub(folder, 'case $2:$3 in launch:a) exit 3 ;; launch:b) exit 2 ;; down:*) exit 1 ;; esac');
    write(experiment('e').model('a', command('true')).model('b', command('true')), folder);
    const { exitCode } = execaSync('bash', ['out/jobs/e.sh'], { env, cwd: folder, reject: false });
    expect(exitCode).toBe(3);
  });

  test('ends what a failing start has left', () => {
    const folder = workspace({});
    const env = stub(folder, '[ "$2" != up ] || exit 5');
    write(experiment('e').orchestrator().model('m', command('true')), folder);
    const { exitCode } = execaSync('bash', ['out/jobs/e.sh'], { env, cwd: folder, reject: false });
    expect(exitCode).toBe(5);
    expect(calls(folder).map((words) => words[1])).toEqual(['up', 'down']);
  });

  test.each(['SIGTERM', 'SIGUSR1'] as const)(
    'passes %s to the runtime itself, and waits for its end',
    async (signal) => {
      const folder = workspace({});
      const body = `[ "$2" = launch ] || exit 0
      trap 'echo "$2 got it" >"$CALLS/../signal"; kill "$!"; exit 9' ${signal.slice(3)}
      sleep 60 & touch "$CALLS/../ready"; wait`;
      const env = stub(folder, body);
      write(experiment('e').model('m', command('true')), folder);
      const script = execa('bash', ['out/jobs/e.sh'], { env, cwd: folder, reject: false });
      await waitUntil('the application runs', () => readdirSync(folder).includes('ready'));
      script.kill(signal);
      const { exitCode } = await script;
      expect([exitCode, readFileSync(join(folder, 'signal'), 'utf8')]).toEqual([9, 'launch got it\n']);
    },
  );

  test.each([
    ['USR1', 0, ['up', 'launch', 'down']],
    ['TERM', 143, ['up', 'down']],
  ])('takes %s before the first launch for a warning or an end', (signal, code, verbs) => {
    const folder = workspace({});
    const env = stub(folder, `[ "$2" != up ] || kill -${signal} "$PPID"`);
    write(experiment('e').orchestrator().model('m', command('true')), folder);
    const { exitCode } = execaSync('bash', ['out/jobs/e.sh'], { env, cwd: folder, reject: false });
    expect([exitCode, calls(folder).map((words) => words[1])]).toEqual([code, verbs]);
  });

  test('is never content with an application that fails just as a signal comes', async () => {
    const folder = workspace({});
    const env = stub(folder, '[ "$2" = launch ] || exit 0\nsleep 0.1; kill -USR1 "$PPID"; exit 3');
    write(experiment('e').model('m', command('true')), folder);
    for (let run = 0; run < 15; run++) {
      const { exitCode } = await execa('bash', ['out/jobs/e.sh'], { env, cwd: folder, reject: false });
      // The code itself may be lost in bash, which then tells of the signal.
      expect([3, 138, 143]).toContain(exitCode);
    }
  });

  test('stops with a sentence where there is no plan.json', () => {
    const folder = workspace({});
    write(experiment('e').model('m', command('true')), folder);
    rmSync(join(folder, 'out/plan.json'));
    for (const script of ['jobs/e.sh', 'submit.sh']) {
      const { exitCode, stderr } = execaSync('bash', [join(folder, 'out', script)], { reject: false });
      expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/^plan\.json is not in \/.*\/out/)]);
    }
  });
});
