import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { ServerConfig } from './config.js';
import type { Hosts } from './hosts/hosts.js';
import type { LiveRun, Machine } from './machine/machine.js';
import { nodeVariables, pathVariables } from './path.js';
import { type LiveProcess, processesOfRun, runMark, runVariable, signalProcesses } from './processes.js';
import type { Finding } from './record.js';
import type { SchedulerStandIn } from './standins.js';

/** Seconds between the first signal of a job's end and SIGKILL, at the scheduler's own speed. */
const killWaitSeconds = 15;

/**
 * Seconds after its walltime at which a job is ended, at any speed. Real schedulers look now and then only (Slurm every half minute), so that a
 * script that ends its applications in time has ended before.
 */
const lateSeconds = 5;

/** Milliseconds that processes have to go after the script that started them. */
const graceMs = 5000;

interface Parts {
  readonly config: ServerConfig;
  readonly scheduler: SchedulerStandIn;
  readonly hosts: Hosts;
  readonly machine: Machine;
  found(finding: Finding): void;
  ended(run: LiveRun): void;
}

/** Starts the scripts of jobs on their nodes, keeps their walltimes, and clears up after them. */
export class JobRunner {
  readonly #scripts = new Map<LiveRun, ChildProcess>();
  readonly #timers = new Map<LiveRun, NodeJS.Timeout[]>();
  /** Runs that have nodes, until all their processes have gone. */
  readonly #busy = new Set<LiveRun>();

  constructor(private readonly parts: Parts) {}

  isIdle(): boolean {
    return this.#busy.size === 0;
  }

  start(run: LiveRun): void {
    this.#busy.add(run);
    this.#launch(run).catch((error: unknown) => {
      this.parts.found({
        kind: 'refused',
        where: `job ${run.job.request.name}`,
        what: error instanceof Error ? error.message : String(error),
      });
      this.#clear(run, 1, undefined);
    });
  }

  async #launch(run: LiveRun): Promise<void> {
    const { hosts, scheduler, machine, config } = this.parts;
    const { job } = run;
    const { request } = job;
    const host = run.host ?? 'login';
    await Promise.all([host, ...run.nodes.map(({ name }) => name)].map((name) => hosts.ready(name)));
    const folder = join(config.state, 'jobs', run.ownId);
    mkdirSync(folder, { recursive: true });
    const { env, files } = scheduler.environment(job, run, machine, folder);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
    const script = join(folder, basename(request.script));
    writeFileSync(script, request.text, { mode: 0o700 });
    const out = this.#open(run, request.out);
    const err = request.err === request.out ? out : this.#open(run, request.err);
    if (out === undefined || err === undefined) {
      this.#clear(run, 1, undefined);
      return;
    }
    const interpreter = scheduler.interpreter?.(script) ?? [script];
    const words = [
      ...hosts.enter(host),
      '/bin/sh',
      '-c',
      'cd -- "$1" && shift && exec "$@"',
      'sh',
      request.startsIn,
      ...interpreter,
    ];
    const child = spawn(words[0] ?? '', words.slice(1), {
      stdio: ['ignore', out, err],
      detached: true,
      env: {
        ...nodeVariables(),
        ...request.env,
        ...env,
        ...hosts.environment(host),
        ...pathVariables(config.state, request.env),
        [runVariable]: this.#markOf(run),
      },
    });
    closeSync(out);
    if (err !== out) closeSync(err);
    this.#scripts.set(run, child);
    this.#keepWalltime(run);
    child.on('error', () => this.#clear(run, 127, undefined));
    child.on('exit', (code, signal) => {
      this.#clear(run, code ?? 1, signal === null ? undefined : constants.signals[signal]);
    });
  }

  #open(run: LiveRun, pattern: string): number | undefined {
    const { request } = run.job;
    const path = resolve(request.cwd, this.parts.scheduler.outputPath(pattern, run.job, run));
    try {
      return openSync(path, request.appends ? 'a' : 'w', 0o600);
    } catch {
      this.parts.found({
        kind: 'no output folder',
        where: `job ${request.name}`,
        what: `its output ${path} cannot be written: the script never ran`,
      });
      return undefined;
    }
  }

  #keepWalltime(run: LiveRun): void {
    const { walltimeSeconds, warning } = run.job.request;
    if (walltimeSeconds === undefined || walltimeSeconds > 1_000_000) return;
    const timers = [setTimeout(() => this.parts.machine.end(run, 'timeout'), (walltimeSeconds + lateSeconds) * 1000)];
    if (warning !== undefined) {
      const at = Math.max(0, walltimeSeconds - warning.seconds) * 1000;
      timers.push(
        setTimeout(() => {
          this.parts.machine.signal(run.job.id, run.index, warning.signal, warning.to === 'script' ? 'script' : 'all');
        }, at),
      );
    }
    this.#timers.set(run, timers);
  }

  signalScript(run: LiveRun, signal: NodeJS.Signals): void {
    this.#scripts.get(run)?.kill(signal);
  }

  /** Ends all processes of a run. */
  end(run: LiveRun, signal: NodeJS.Signals): void {
    signalProcesses(this.#processes(run), signal);
    const wait = Math.max(2, killWaitSeconds / this.parts.config.speed);
    const timer = setTimeout(() => signalProcesses(this.#processes(run), 'SIGKILL'), wait * 1000);
    this.#timers.set(run, [...(this.#timers.get(run) ?? []), timer]);
  }

  #processes(run: LiveRun): LiveProcess[] {
    return processesOfRun(this.#markOf(run));
  }

  #markOf({ job, index }: LiveRun): string {
    return runMark(this.parts.config.state, index === undefined ? job.id : `${job.id}.${index}`);
  }

  #clear(run: LiveRun, code: number, signal: number | undefined): void {
    for (const timer of this.#timers.get(run) ?? []) clearTimeout(timer);
    const wasRunning = run.state === 'running';
    const begun = Date.now();
    const look = () => {
      const left = this.#processes(run);
      if (left.length > 0 && Date.now() - begun < graceMs) {
        setTimeout(look, 20);
        return;
      }
      // A launcher whose processes are being ended is no matter of the script's.
      const own = left.filter(({ command }) => !command.includes(this.parts.config.standIn));
      if (own.length > 0 && wasRunning) {
        const commands = own.map(({ command }) => command.slice(0, 3).join(' ')).join('; ');
        this.parts.found({
          kind: 'left behind',
          where: `job ${run.job.request.name}`,
          what: `these still ran after its script: ${commands}`,
        });
      }
      signalProcesses(left, 'SIGKILL');
      this.#busy.delete(run);
      this.#scripts.delete(run);
      this.parts.ended(run);
      for (const [path, text] of Object.entries(this.parts.scheduler.afterEnd?.(run.job, run) ?? {}))
        writeFileSync(path, text);
      this.parts.machine.ended(run, code, signal);
    };
    look();
  }
}
