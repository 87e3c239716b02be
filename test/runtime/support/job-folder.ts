import { type ChildProcess, spawn } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, type TestContext } from 'vitest';
import type { Plan } from '../../../src/ir/index.js';
import { type MemberEvent, StatusReader } from '../../../src/runtime/status/index.js';
import { waitUntil } from './wait-until.js';

const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url));
const python = fileURLToPath(new URL('../../../python', import.meta.url));
const folders: JobFolder[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove();
});

/** How a job's script ended. */
export interface JobEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running job: its script's process, and its end. */
export interface RunningJob {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly ended: Promise<JobEnd>;
}

/**
 * A folder as `compile` writes it, removed with its processes after the test; a test that runs beside others gives its context, so that it is
 * not removed after theirs.
 */
export class JobFolder {
  readonly dir: string;
  readonly #jobs: RunningJob[] = [];

  constructor(
    bundleFolder: string,
    plan: Plan,
    parent: string = tmpdir(),
    { onTestFinished }: Partial<Pick<TestContext, 'onTestFinished'>> = {},
  ) {
    this.dir = realpathSync(mkdtempSync(join(parent, 'simwright-job-')));
    if (onTestFinished === undefined) folders.push(this);
    else onTestFinished(() => this.remove());
    this.write('plan.json', JSON.stringify(plan, undefined, 2));
    mkdirSync(join(this.dir, 'runtime/node_modules/simwright'), { recursive: true });
    copyFileSync(join(bundleFolder, 'simwright.mjs'), join(this.dir, 'runtime/simwright.mjs'));
    copyFileSync(join(bundleFolder, 'client.mjs'), join(this.dir, 'runtime/node_modules/simwright/client.mjs'));
    this.write(
      'runtime/node_modules/simwright/package.json',
      JSON.stringify({ name: 'simwright', type: 'module', exports: { './client': './client.mjs' } }),
    );
    cpSync(python, join(this.dir, 'runtime/python'), {
      recursive: true,
      filter: (path) => !path.endsWith('__pycache__'),
    });
    for (const name of ['onnxruntime-node', 'onnxruntime-common']) {
      if (existsSync(join(modules, name)))
        symlinkSync(join(modules, name), join(this.dir, 'runtime/node_modules', name));
    }
  }

  path(...parts: string[]): string {
    return join(this.dir, ...parts);
  }

  write(path: string, content: string | Uint8Array, mode = 0o644): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), content, { mode });
  }

  makeFolder(path: string): void {
    mkdirSync(this.path(path), { recursive: true });
  }

  read(path: string): string {
    return readFileSync(this.path(path), 'utf8');
  }

  has(path: string): boolean {
    return existsSync(this.path(path));
  }

  /** Contents of the status files. */
  statusFiles(): string[] {
    return readdirSync(this.path('run/status'))
      .filter((name) => name.endsWith('.jsonl'))
      .map((name) => this.read(`run/status/${name}`));
  }

  /** Starts a script whose steps follow the usual beginning of a job's script. */
  start(steps: string, env: Record<string, string> = {}, name = 'main'): RunningJob {
    this.write(`jobs/${name}.sh`, `${beginning.replace('JOB=main', `JOB=${name}`)}${steps}\nawait_launches\n`);
    return this.startWritten(env, name);
  }

  /** Starts the script that is there. */
  startWritten(env: Record<string, string> = {}, name = 'main'): RunningJob {
    const child = spawn('bash', [`jobs/${name}.sh`], {
      cwd: this.dir,
      env: { ...process.env, SIMWRIGHT_KILL_AFTER: '2', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const ended = new Promise<JobEnd>((resolve) => {
      child.once('exit', (code, signal) => {
        // What is left in the pipes is read; processes that keep them open are not waited for.
        setImmediate(() => resolve({ code, signal, stdout, stderr }));
      });
    });
    const job = { pid: child.pid ?? 0, child, ended };
    this.#jobs.push(job);
    return job;
  }

  run(steps: string, env: Record<string, string> = {}, name = 'main'): Promise<JobEnd> {
    return this.start(steps, env, name).ended;
  }

  /** Last event of each member, in order. */
  members(entity: string): (MemberEvent | undefined)[] {
    const plan = JSON.parse(this.read('plan.json')) as Plan;
    const reader = new StatusReader(this.dir);
    reader.refresh();
    const { members } = reader.of(entity);
    const count = plan.entities.find(({ name }) => name === entity)?.members.count ?? 0;
    return Array.from({ length: count }, (_, index) => members.get(index));
  }

  states(entity: string): string[] {
    return this.members(entity).map((event) => event?.state ?? 'none');
  }

  /** Processes that work in the folder or were started from it. */
  processes(): { pid: number; command: string }[] {
    return readdirSync('/proc').flatMap((name) => {
      if (!/^\d+$/.test(name)) return [];
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const state = readFileSync(`/proc/${name}/stat`, 'latin1').split(') ')[1]?.[0];
        const environment = readFileSync(`/proc/${name}/environ`, 'utf8');
        const isHere = [readlinkSync(`/proc/${name}/cwd`), command, environment].some((text) =>
          text.includes(this.dir),
        );
        return isHere && state !== 'Z' ? [{ pid: Number(name), command }] : [];
      } catch {
        return [];
      }
    });
  }

  /** Processes of one of the runtime's verbs. */
  runtimeProcesses(verb: string): number[] {
    return this.processes()
      .filter(({ command }) => command.includes(`simwright.mjs ${verb}`))
      .map(({ pid }) => pid);
  }

  /** Kills processes of the runtime by their verb, those that have not ended meanwhile. */
  killRuntime(verb: string): void {
    for (const pid of this.runtimeProcesses(verb)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }

  /** Files below `run` that are no results: half directories, locks, temporary files. */
  halfFiles(): string[] {
    if (!existsSync(this.path('run'))) return [];
    return readdirSync(this.path('run'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\.part-|\.lock|\.tmp$/.test(name),
    );
  }

  /** Waits until nothing of a job is left: no process, no folder under /tmp, no half directory. */
  async expectNothingLeft(job: RunningJob): Promise<void> {
    await waitUntil('no process is left', () => this.processes().length === 0 || JSON.stringify(this.processes()));
    const folder = `/tmp/simwright-${process.getuid?.()}-${job.pid}`;
    await waitUntil('the folder under /tmp is removed', () => !existsSync(folder));
    await waitUntil('no half files are left', () => this.halfFiles().length === 0 || this.halfFiles().join());
  }

  /** Kills all of its processes; the death of one may end another. */
  killAll(): void {
    for (const { pid } of this.processes()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }

  remove(): void {
    this.killAll();
    for (const { pid } of this.#jobs) {
      rmSync(`/tmp/simwright-${process.getuid?.()}-${pid}`, { recursive: true, force: true });
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** As `compile` writes it. */
const beginning = `#!/usr/bin/env bash
set -euo pipefail
export SIMWRIGHT_JOB=main
export SIMWRIGHT_JOB_ID=$$
export SIMWRIGHT_HOSTS="localhost"
export SIMWRIGHT_STARTED="\${SIMWRIGHT_STARTED:-$(date +%s)}"
export SIMWRIGHT_SCRIPT_PID=$$
runtime() {
  ((BASHPID == $$)) || exec node runtime/simwright.mjs "$@"
  node runtime/simwright.mjs "$@"
}
launched=() told=''
pass_on() {
  local pid
  told=$1
  if ((\${#launched[@]} == 0)); then
    [ "$1" = USR1 ] || exit $((128 + $(kill -l "$1")))
    return
  fi
  for pid in "\${launched[@]}"; do kill -s "$1" "$pid" 2>/dev/null || true; done
}
await_launches() {
  local pid code worst=0
  [ "\${told:-USR1}" = USR1 ] || pass_on "$told"
  {
    mkdir -p run/status
    printf '%s\\n' "$SIMWRIGHT_STARTED" "\${launched[@]}" end >run/status/"$SIMWRIGHT_JOB.$SIMWRIGHT_JOB_ID.launched"
  } 2>/dev/null || true
  for pid in "\${launched[@]}"; do
    while true; do
      told='' code=0
      wait "$pid" || code=$?
      [ -n "$told" ] || break
    done
    ((code >= 0)) || code=143
    ((code <= worst)) || worst=$code
  done
  return "$worst"
}
trap 'pass_on TERM' TERM
trap 'pass_on INT' INT
trap 'pass_on USR1' USR1
trap 'runtime down || true' EXIT
`;
