import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { groupLives } from '../job/process-identity.js';
import { Tail } from '../supervisor/tail.js';

/** Milliseconds between SIGTERM and SIGKILL: Ray takes about three seconds to end in order. */
const patienceMs = 4000;

/** As many open files as the system allows, up to those that Ray asks for, and then the program in the place of this shell. */
const withManyFiles =
  'most=$(ulimit -Hn); if [ "$most" = unlimited ] || [ "$most" -gt 65536 ]; then most=65536; fi; ' +
  'now=$(ulimit -Sn); if [ "$now" != unlimited ] && [ "$now" -lt "$most" ]; then ulimit -Sn "$most"; fi; exec "$@"';

/**
 * Outlives the process that starts it by a moment: when its third stream ends, however that comes, it kills the process group, and removes the
 * folder. It is no child of that process, so that who kills all its children may miss it; its standard output ends with it.
 */
const guard =
  '{ trap "" TERM INT HUP USR1 USR2 QUIT; cat <&3 >/dev/null; kill -s KILL -- "-$1" 2>/dev/null; ' +
  'rm -rf -- "$2"; rmdir -- "$3" 2>/dev/null; } &';

/** `ray start` on this node with all that it starts: a process group of its own, which does not outlive this process. */
export class RayProcess {
  readonly #child: ChildProcess;
  readonly #guard: ChildProcess;
  readonly #mark: string;
  // When a process of Ray dies, `ray start` prints the last lines of its log after its name.
  readonly #tail = new Tail(64_000);
  /** Its end, in words. */
  readonly ended: Promise<string>;

  /** `temporary` is the node's folder, `mark` the variable that tells Ray's processes from all others. Output goes to this process's own. */
  constructor(
    python: string,
    words: readonly string[],
    env: Readonly<Record<string, string>>,
    place: { readonly temporary: string; readonly mark: readonly [name: string, value: string] },
  ) {
    const line = [python, '-m', 'ray.scripts.scripts', 'start', ...words];
    this.#mark = `${place.mark[0]}=${place.mark[1]}`;
    this.#child = spawn('/bin/sh', ['-c', withManyFiles, 'sh', ...line], {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#guard = spawn(
      '/bin/sh',
      ['-c', guard, 'ray-guard', String(this.#child.pid), place.temporary, dirname(place.temporary)],
      {
        env,
        detached: true,
        // Node closes the standard input of a child that has exited, as the guard's own shell does at once.
        stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
      },
    );
    this.#guard.on('error', () => {});
    this.#guard.stdout?.resume();
    this.#guard.stdio[3]?.on('error', () => {});
    for (const [stream, out] of [
      [this.#child.stdout, process.stdout],
      [this.#child.stderr, process.stderr],
    ] as const) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#tail.add(text);
        out.write(text);
      });
    }
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(`${python} cannot be started: ${error.message}`));
      this.#child.once('close', (code, signal) => resolve(this.#describe(code, signal)));
      // Processes that Ray leaves behind hold the pipes open.
      this.#child.once('exit', (code, signal) => void sleep(500).then(() => resolve(this.#describe(code, signal))));
    });
  }

  /** Ends Ray on this node: in order, and by force what is left after a while; some schedulers give a job but seconds. */
  async stop(): Promise<void> {
    const { pid } = this.#child;
    if (pid !== undefined && groupLives(pid)) {
      signal(pid, 'SIGTERM');
      for (const end = performance.now() + patienceMs; groupLives(pid) && performance.now() < end; await sleep(50)) {
        // Those that `ray start` has left when it is gone would not end.
        if (this.#child.exitCode !== null || this.#child.signalCode !== null) break;
      }
      signal(-pid, 'SIGKILL');
    }
    for (const left of this.#marked()) signal(left, 'SIGKILL');
  }

  /** Lets the guard do its part: it removes the folder. */
  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#guard.stdout?.once('close', resolve));
    (this.#guard.stdio[3] as Socket | null | undefined)?.destroy();
    await Promise.race([gone, sleep(5000)]);
  }

  /** Processes of this start that have left its group. */
  #marked(): number[] {
    return readdirSync('/proc').flatMap((name) => {
      const pid = Number(name);
      if (!Number.isInteger(pid) || pid === this.#guard.pid) return [];
      try {
        const { length } = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        const isOurs = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(this.#mark);
        return isOurs && length > 0 && !this.#isGuards(pid) ? [pid] : [];
      } catch {
        return [];
      }
    });
  }

  /** True for a child of the guard. */
  #isGuards(pid: number): boolean {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]) === this.#guard.pid;
  }

  #describe(code: number | null, signal_: NodeJS.Signals | null): string {
    const how = signal_ === null ? `'ray start' ended with exit code ${code}` : `'ray start' was ended by ${signal_}`;
    const lines = this.#tail.lines(1000);
    const died = lines.flatMap((line) => /(\w+) \[exit code=.*\]/.exec(line)?.[0] ?? []);
    if (died.length > 0) return `Ray's ${[...new Set(died)].join(', ')} ended unexpectedly`;
    const telling = lines.findLast((line) => /error|failed|cannot|no module|in use|unable|mismatch/i.test(line));
    return telling === undefined ? how : `${how}: ${telling.trim()}`;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has just ended.
  }
}
