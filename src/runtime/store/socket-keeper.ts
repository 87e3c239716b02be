import { type ChildProcess, spawn } from 'node:child_process';
import { dirname } from 'node:path';
import type { JobEnvironment } from '../job/job-environment.js';
import { jobFolder } from '../job/job-folder.js';

/** Waits for the end of its input; unless that says first that all is well, removes a socket, and its folder if nothing else is in it. */
const script = `trap '' TERM HUP INT
read -r word && [ "$word" = released ] && exit
rm -f -- "$1"
[ -z "$2" ] || rmdir -- "$2" 2>/dev/null`;

const scheme = 'unix://';

/**
 * Removes a store's Unix socket after a process that could not: one that was killed, on a node where nothing else of the job looks after its
 * /tmp. Launchers kill all tasks when one has died.
 */
export class SocketKeeper {
  readonly #child: ChildProcess;

  private constructor(path: string, folder: string) {
    this.#child = spawn('/bin/sh', ['-c', script, 'simwright-socket', path, folder], {
      cwd: '/',
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    this.#child.on('error', () => {});
    this.#child.stdin?.on('error', () => {});
    this.#child.unref();
  }

  /** The keeper of the socket among the addresses of a store; `undefined` if there is none. */
  static of(job: JobEnvironment, addresses: readonly string[]): SocketKeeper | undefined {
    const path = addresses.find((address) => address.startsWith(scheme))?.slice(scheme.length);
    if (path === undefined) return undefined;
    const folder = jobFolder(job);
    return new SocketKeeper(path, dirname(path) === folder ? folder : '');
  }

  /** The socket has been removed: another store may have one of that name soon. */
  release(): void {
    this.#child.stdin?.end('released\n');
  }
}
