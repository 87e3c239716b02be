import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { groupLives, parentOf } from '../../../src/runtime/job/process-identity.js';
import { BashStarter, isPlainVariable } from '../../../src/runtime/launch/starters/bash-starter.js';
import { DirectStarter } from '../../../src/runtime/launch/starters/direct-starter.js';
import type { Starter } from '../../../src/runtime/launch/starters/index.js';
import { workerProgram } from '../../../src/runtime/launch/starters/worker-program.js';
import { waitUntil } from '../support/wait-until.js';

const hasShellcheck = spawnSync('shellcheck', ['--version']).status === 0;

let dir: string;
const starters: Starter[] = [];
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'simwright-starters-')));
});
afterEach(async () => {
  await Promise.all(starters.splice(0).map((starter) => starter.close()));
  rmSync(dir, { recursive: true, force: true });
});

const jobEnv = {
  PATH: process.env['PATH'],
  HOME: '/home/of/nobody',
  OLDPWD: '/before',
  SHLVL: '7',
  'dots.in-name': 'kept',
  'BASH_FUNC_cd%%': '() {  echo mine\n}',
  BASH_ENV: '/no/such/file',
};

function made<Made extends Starter>(starter: Made): Made {
  starters.push(starter);
  return starter;
}

/** Starts a line in a directory of its own. */
async function start(starter: Starter, line: readonly string[], variables: Record<string, string> = {}, name = 'm') {
  const directory = join(dir, `${name} of ours`);
  mkdirSync(directory, { recursive: true });
  const started = await starter.start({ line, directory, name, variables: { PWD: directory, ...variables } });
  const output = (end: 'out' | 'err') => readFileSync(join(directory, `${name}.${end}`), 'utf8');
  return { ...started, out: () => output('out'), err: () => output('err') };
}

/** Environment, descriptors and signals as an application sees them. */
const look = `
const { readFileSync, readdirSync, readlinkSync } = require('node:fs');
const fields = readFileSync('/proc/self/status', 'utf8').split('\\n').filter((line) => /^(SigIgn|SigBlk)/.test(line));
const { _, ...env } = process.env;
console.log(JSON.stringify({ env, cwd: process.cwd(), args: process.argv.slice(1), fields, stdin: readlinkSync('/proc/self/fd/0') }));
`;

describe('an application does not see which way it was started', () => {
  test('its environment, words, directory, standard input and signals are the same', async () => {
    const variables = { A: 'a b,"c" $HOME `id` \\ \n', B: '', LC_ALL: 'C', SSKEYIN: 'ä,€' };
    const line = [process.execPath, '-e', look, '--', '*', 'a b', '', "it's", '$(id)', 'two\nlines', '-n'];
    const seen = [];
    for (const starter of [new DirectStarter(jobEnv), new BashStarter(jobEnv)]) {
      const one = await start(made(starter), line, variables);
      expect(await one.ended).toEqual({ code: 0, signal: null });
      expect(one.err()).toBe('');
      seen.push(JSON.parse(one.out()));
    }
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[0].env).toMatchObject({ ...jobEnv, ...variables, PWD: join(dir, 'm of ours') });
    expect(seen[0].args).toEqual(['*', 'a b', '', "it's", '$(id)', 'two\nlines', '-n']);
  });

  test('descriptors beyond those that it would have anyway are not handed on', async () => {
    const seen = [];
    for (const starter of [new DirectStarter(jobEnv), new BashStarter(jobEnv)]) {
      const one = await start(made(starter), ['ls', '/proc/self/fd']);
      await one.ended;
      seen.push(one.out());
    }
    expect(seen[1]).toBe(seen[0]);
  });

  test('it leads a process group, and is no child of this process through a shell', async () => {
    for (const [starter, isOurs] of [
      [new DirectStarter(jobEnv), true],
      [new BashStarter(jobEnv), false],
    ] as const) {
      const one = await start(made(starter), ['sleep', '100']);
      expect(parentOf(one.pid) === process.pid).toBe(isOurs);
      expect(groupLives(one.pid)).toBe(true);
      process.kill(-one.pid, 'SIGTERM');
      expect(await one.ended).toMatchObject({ signal: 'SIGTERM' });
    }
  });

  test.each([0, 1, 3, 126, 127, 255])('exit code %i', async (code) => {
    for (const starter of [new DirectStarter(jobEnv), new BashStarter(jobEnv)]) {
      const one = await start(made(starter), ['sh', '-c', `echo said >&2; exit ${code}`]);
      expect(await one.ended).toEqual({ code, signal: null });
      expect(one.err()).toBe('said\n');
    }
  });

  test('a stop is no end', async () => {
    const one = await start(made(new BashStarter(jobEnv)), ['sh', '-c', 'echo begun; kill -STOP $$; exit 4']);
    const isStopped = () => / T /.test(readFileSync(`/proc/${one.pid}/stat`, 'latin1'));
    await waitUntil('it has stopped', isStopped);
    process.kill(one.pid, 'SIGCONT');
    expect(await one.ended).toEqual({ code: 4, signal: null });
  });
});

describe('a program that cannot be executed', () => {
  test.each([
    ['./no-such', 'ENOENT'],
    ['no-such-program', 'ENOENT'],
    ['/', 'EACCES'],
    ['./not-executable', 'EACCES'],
  ])('%s', async (program, code) => {
    mkdirSync(join(dir, 'm of ours'));
    writeFileSync(join(dir, 'm of ours/not-executable'), '#!/bin/sh\n', { mode: 0o644 });
    await expect(start(made(new DirectStarter(jobEnv)), [program])).rejects.toMatchObject({ code });
    const one = await start(made(new BashStarter(jobEnv)), [program]);
    await expect(one.ended).rejects.toMatchObject({
      code,
      message: expect.stringContaining(program.replace('./', '')),
    });
  });

  test('a script whose interpreter is missing', async () => {
    mkdirSync(join(dir, 'm of ours'));
    writeFileSync(join(dir, 'm of ours/script'), '#!/no/such/interpreter\n', { mode: 0o755 });
    const one = await start(made(new BashStarter(jobEnv)), ['./script']);
    await expect(one.ended).rejects.toThrow('/script: ');
  });
});

describe('workers', () => {
  test('start one application after another', async () => {
    const starter = made(new BashStarter(jobEnv));
    const parents = new Set<number | undefined>();
    for (let index = 0; index < 5; index++) {
      const one = await start(starter, ['sh', '-c', 'ps -o ppid= -p $$'], {}, `m${index}`);
      await one.ended;
      parents.add(Number(one.out()));
    }
    expect(parents.size).toBe(1);
  });

  test('go on when they are signalled, as a scheduler may do', async () => {
    const one = await start(made(new BashStarter(jobEnv)), ['sleep', '0.3']);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const)
      process.kill(parentOf(one.pid) ?? 0, signal);
    expect(await one.ended).toEqual({ code: 0, signal: null });
  });

  test('know how an application ended that is signalled together with them', async () => {
    const starter = made(new BashStarter(jobEnv));
    for (let round = 0; round < 60; round++) {
      const one = await start(starter, ['sleep', '100']);
      const both = [parentOf(one.pid) ?? 0, one.pid];
      for (const pid of round % 2 === 0 ? both : both.reverse()) process.kill(pid, 'SIGTERM');
      expect(await one.ended).toEqual({ code: 143, signal: 'SIGTERM' });
    }
  });

  test('that are killed leave an end that is unknown, and another takes over', async () => {
    const starter = made(new BashStarter(jobEnv));
    const one = await start(starter, ['sleep', '100']);
    process.kill(parentOf(one.pid) ?? 0, 'SIGKILL');
    expect(await one.ended).toBeUndefined();
    process.kill(-one.pid, 'SIGKILL');
    expect(await (await start(starter, ['true'])).ended).toEqual({ code: 0, signal: null });
  });

  test('end with the pipe that they read', async () => {
    const starter = new BashStarter(jobEnv);
    const one = await start(starter, ['sh', '-c', 'ps -o ppid= -p $$']);
    await one.ended;
    const worker = Number(one.out());
    expect(groupLives(worker)).toBe(true);
    await starter.close();
    expect(groupLives(worker)).toBe(false);
  });

  test.each([
    ['a variable that bash keeps to itself', { ...jobEnv, SECONDS: '5' }, {}],
    ['one of the member', jobEnv, { UID: '4711' }],
    ['a name that is none for bash', jobEnv, { 'a-b': '1' }],
    ['very long words', jobEnv, { SSKEYIN: 'x'.repeat(20_000) }],
    ['no bash', { ...jobEnv, PATH: '/nowhere' }, {}],
  ])('are not used with %s', async (_, env, variables) => {
    const one = await start(made(new BashStarter(env)), ['/bin/sh', '-c', '/bin/ps -o ppid= -p $$'], variables);
    expect(await one.ended).toEqual({ code: 0, signal: null });
    expect(Number(one.out())).toBe(process.pid);
  });

  test('read no start-up file, whatever bash takes its standard input for', async () => {
    writeFileSync(join(dir, '.bashrc'), 'echo hello; export OF_BASHRC=1\n');
    const env = { PATH: process.env['PATH'], HOME: dir, BASH_ENV: join(dir, '.bashrc') };
    const one = await start(made(new BashStarter(env)), ['env']);
    expect(await one.ended).toEqual({ code: 0, signal: null });
    expect(one.out()).not.toContain('OF_BASHRC');
  });

  test('hand on every variable that bash does not set by itself', () => {
    const names = execFileSync('bash', ['--norc', '-p', '-c', 'compgen -v'], { env: {}, encoding: 'utf8' })
      .trim()
      .split('\n');
    // Those that a script may set, and that bash hands on as they were given.
    const harmless = /^(HOST(NAME|TYPE)|MACHTYPE|OSTYPE|PATH|PWD|OLDPWD|SHELL|SHLVL|TERM|_|BASH_ENV)$/;
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => isPlainVariable(name) && !harmless.test(name))).toEqual([]);
  });

  test.skipIf(!hasShellcheck)('run a program that shellcheck accepts (skipped where shellcheck is missing)', () => {
    const path = join(dir, 'worker.sh');
    writeFileSync(path, `#!/usr/bin/env bash\n${workerProgram}`);
    const { stdout } = spawnSync('shellcheck', ['--norc', path], { encoding: 'utf8' });
    expect(stdout).toBe('');
  });
});
