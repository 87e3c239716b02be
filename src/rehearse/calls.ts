import { closeSync, constants, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { quoteShellWord } from '../targets/quoting.js';
import type { CallMessage } from './protocol.js';
import type { Answer } from './standins.js';

/*
 * Calls of a scheduler's commands, which start nothing: a shell's start takes a tenth of that of Node.js. A call is a folder of files; its name
 * goes through a pipe with a name, and the exit code comes back through another one.
 */

/** Seconds that a stand-in waits for an answer: longer than any takes, so that none outlives a rehearsal that was killed. */
const patienceSeconds = 120;

/** Text of the stand-in for a command; with `readsStdin` it hands on what is in its standard input. */
export function shellStandIn(state: string, name: string, readsStdin: boolean): string {
  const ended = `{ echo ${quoteShellWord(`${name}: the rehearsal has ended`)} >&2; exit 1; }`;
  return [
    // It reads no file of BASH_ENV.
    '#!/bin/bash -p',
    'PATH=$PATH:/usr/bin:/bin',
    `calls=${quoteShellWord(join(state, 'calls'))}`,
    'call=$calls/$$-$RANDOM$RANDOM',
    `mkdir -m 700 -- "$call" 2>/dev/null && mkfifo -m 600 -- "$call/answer" || ${ended}`,
    `printf '%s\\0' ${quoteShellWord(name)} "$(pwd -P)" "\${SIMWRIGHT_REHEARSAL_HOST-}" "$(</proc/sys/kernel/hostname)" "$$" "$@" >"$call/words"`,
    // As it was when the command was called.
    'cat "/proc/$$/environ" >"$call/env"',
    ...(readsStdin
      ? ['if [ -p /dev/stdin ] || [ -f /dev/stdin ] || [ -S /dev/stdin ]; then cat >"$call/stdin"; fi']
      : []),
    'exec 3<>"$call/answer" 4<>"$calls/names"',
    `printf '%s\\n' "\${call##*/}" >&4`,
    `read -r -t ${patienceSeconds} code <&3 || ${ended}`,
    'cat -- "$call/out"',
    'if [ -s "$call/err" ]; then cat -- "$call/err" >&2; fi',
    'rm -rf -- "$call"',
    'exit "$code"',
    '',
  ].join('\n');
}

/** Takes the calls of shell stand-ins until it is closed. The pipe `names` has to be there. */
export class ShellCalls {
  readonly #folder: string;
  readonly #names: Socket;

  constructor(state: string, answer: (call: CallMessage['call']) => Answer) {
    this.#folder = callsFolder(state);
    const fd = openSync(join(this.#folder, 'names'), constants.O_RDWR | constants.O_NONBLOCK);
    this.#names = new Socket({ fd, readable: true, writable: false });
    let rest = '';
    this.#names.setEncoding('utf8').on('data', (piece: string) => {
      const lines = `${rest}${piece}`.split('\n');
      rest = lines.pop() ?? '';
      for (const name of lines) this.#take(join(this.#folder, name), answer);
    });
  }

  close(): void {
    this.#names.destroy();
  }

  #take(folder: string, answer: (call: CallMessage['call']) => Answer): void {
    try {
      const { stdout, stderr, code } = answer(readCall(folder));
      writeFileSync(join(folder, 'out'), stdout, { mode: 0o600 });
      writeFileSync(join(folder, 'err'), stderr, { mode: 0o600 });
      // A client that no longer waits has closed its end.
      const pipe = openSync(join(folder, 'answer'), constants.O_WRONLY | constants.O_NONBLOCK);
      writeSync(pipe, `${code}\n`);
      closeSync(pipe);
    } catch (error) {
      if (!['ENOENT', 'ENXIO'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
}

/** Folder of the calls, made if it is not there. */
export function callsFolder(state: string): string {
  const folder = join(state, 'calls');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

function readCall(folder: string): CallMessage['call'] {
  const parts = (name: string) => readFileSync(join(folder, name), 'utf8').split('\0').slice(0, -1);
  const [name = '', cwd = '', named = '', host = '', pid = '', ...argv] = parts('words');
  const env = Object.fromEntries(
    parts('env').map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]),
  );
  return { name, argv, env, cwd, host: named === '' ? host : named, pid: Number(pid), ...stdinOf(folder) };
}

function stdinOf(folder: string): { readonly stdin?: string } {
  try {
    return { stdin: readFileSync(join(folder, 'stdin'), 'utf8') };
  } catch {
    return {};
  }
}
