import { execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join, relative } from 'node:path';
import { Plan } from '../ir/index.js';
import { quoteShellWord } from '../targets/quoting.js';
import { queriesOf } from '../targets/schedulers.js';
import { type Memory, memoryOf } from './afterwards.js';
import { callsFolder, ShellCalls, shellStandIn } from './calls.js';
import type { ServerConfig } from './config.js';
import { type Fault, faultText, storeOf } from './faults.js';
import type { Hosts } from './hosts/hosts.js';
import { NamespaceHosts } from './hosts/namespaces.js';
import { PlainHosts } from './hosts/plain.js';
import { JobRunner } from './job-runner.js';
import { launchers } from './launchers/index.js';
import { deadlockOf } from './machine/deadlocks.js';
import { type LiveRun, Machine } from './machine/machine.js';
import { nodesFor } from './machine/shape.js';
import { layPath, pathVariables } from './path.js';
import { signalProcesses, storeProcesses } from './processes.js';
import { type CallMessage, onLines } from './protocol.js';
import type { Finding, RehearsalRecord } from './record.js';
import { findingsAtEnd, runRecords, stepRecords } from './records.js';
import { schedulers } from './schedulers/index.js';
import { serverProcesses } from './servers.js';
import type { Answer, Call, SchedulerStandIn } from './standins.js';
import { StepRunner } from './step-runner.js';
import { filesOf } from './view.js';

/** Milliseconds between two looks for dead-locks where nothing happens. */
const lookMs = 250;

/** Milliseconds between two looks for processes that a fault is to meet. */
const againMs = 100;

/** A rehearsal in the process of its server: the fake machine, its jobs and their launches, and what the stand-ins ask. */
export class Rehearsal {
  readonly #plan: Plan;
  readonly #scheduler: SchedulerStandIn;
  readonly #hosts: Hosts;
  readonly #machine: Machine;
  readonly #jobs: JobRunner;
  readonly #steps: StepRunner;
  readonly #findings: Finding[] = [];
  #hasJobStarted = false;
  #isStopping = false;
  #submitted: number | undefined;
  #finish: (() => void) | undefined;

  constructor(
    private readonly config: ServerConfig,
    private readonly progress: (text: string, at: number) => void,
  ) {
    this.#plan = Plan.parse(JSON.parse(readFileSync(join(config.dir, 'plan.json'), 'utf8')));
    const scheduler = schedulers[this.#plan.target];
    if (scheduler === undefined) throw new Error(`no stand-in for ${this.#plan.target}`);
    this.#scheduler = scheduler;
    const nodes = nodesFor(this.#plan, config.nodes);
    this.#hosts = hostsOf(config, this.#plan, [...nodes.map(({ name }) => name), 'launch']);
    const limit = config.faults.find((fault) => fault.kind === 'walltime')?.atSeconds;
    this.#machine = new Machine(
      {
        nodes,
        user: config.user,
        speed: config.speed,
        // A runtime's folder under /tmp is named after its job, and hosts without namespaces share /tmp with other rehearsals.
        ...(config.isolation === 'plain' ? { firstJob: randomInt(1, 60_000) * 1000 } : {}),
        ...(limit === undefined ? {} : { walltimeLimitSeconds: limit }),
      },
      {
        start: (run) => this.#start(run),
        end: (run, signal) => this.#jobs.end(run, signal),
        signal: (run, signal, to, step) => {
          if (to !== 'launches') this.#jobs.signalScript(run, signal);
          if (to !== 'script') this.#steps.signal(run, signal, step);
        },
        steps: (job) => this.#steps.running(job),
        lost: (run, node) => {
          this.#say(`job ${run.job.request.name}${elementText(run)} goes on without ${node}`);
          this.#steps.lose(run, node);
        },
        changed: (job, run) => {
          if (run !== undefined) this.#say(`job ${job.request.name}${elementText(run)} ${stateText(run)}`);
          this.#look();
        },
      },
    );
    this.#jobs = new JobRunner({
      ...{ config, scheduler, hosts: this.#hosts, machine: this.#machine },
      found: (finding) => this.#found(finding),
      ended: (run) => this.#steps.forget(run),
    });
    this.#steps = new StepRunner({
      ...{ config, hosts: this.#hosts, machine: this.#machine, plan: this.#plan },
      changed: (text) => {
        this.#say(text);
        this.#look();
      },
      found: (finding) => this.#found(finding),
    });
  }

  get #bin(): string {
    return join(this.config.state, 'bin');
  }

  #say(text: string): void {
    this.progress(text, this.#machine.now());
  }

  #found(finding: Finding): void {
    if (this.#findings.some((one) => one.where === finding.where && one.what === finding.what)) return;
    this.#findings.push(finding);
    this.#say(`${finding.where}: ${finding.what}`);
  }

  /** Runs submit.sh and all that comes of it; the record once everything has ended. */
  async run(): Promise<{ readonly record: RehearsalRecord; readonly memory: Memory }> {
    this.#layStandIns();
    const socket = join(this.config.state, 'socket');
    const server = createServer((client) => this.#serve(client));
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    chmodSync(socket, 0o600);
    const calls = new ShellCalls(this.config.state, (call) => this.#command(call));
    const over = new Promise<void>((resolve) => {
      this.#finish = resolve;
    });
    const timer = setInterval(() => this.#look(), lookMs);
    this.#submit();
    await over;
    clearInterval(timer);
    server.close();
    calls.close();
    return { record: this.#record(), memory: memoryOf(this.#machine) };
  }

  /** Cancels all jobs; the second time everything ends at once. */
  stop(why: string): void {
    if (this.#isStopping) process.exit(1);
    this.#isStopping = true;
    this.#say(`${why}: all jobs are cancelled`);
    for (const { id } of this.#machine.jobs) this.#machine.cancel(id);
    this.#look();
  }

  #layStandIns(): void {
    mkdirSync(this.#bin);
    const socket = join(this.config.state, 'socket');
    const names = [
      ...Object.keys(this.#scheduler.commands),
      ...this.#scheduler.launchers.filter((name) => name in launchers),
    ];
    execFileSync('mkfifo', ['-m', '600', join(callsFolder(this.config.state), 'names')]);
    for (const name of new Set(names)) {
      const words = [process.execPath, this.config.standIn, socket, name].map(quoteShellWord).join(' ');
      const text =
        name in this.#scheduler.commands
          ? shellStandIn(this.config.state, name, this.#scheduler.readsStdin.includes(name))
          : `#!/bin/sh\nexec ${words} "$@"\n`;
      writeFileSync(join(this.#bin, name), text, { mode: 0o755 });
    }
    layPath(this.config.state);
  }

  #submit(): void {
    const words = [...this.#hosts.enter('login'), 'bash', 'submit.sh', ...this.config.submitWords];
    const env = {
      ...process.env,
      ...this.#hosts.environment('login'),
      ...pathVariables(this.config.state, process.env),
    };
    const child = spawn(words[0] ?? '', words.slice(1), {
      cwd: this.config.dir,
      stdio: ['ignore', 'ignore', 'pipe'],
      env,
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.trimEnd().split('\n')) this.#say(line);
    });
    child.on('close', (code) => {
      this.#submitted = code ?? 1;
      if (this.#submitted !== 0) {
        this.#found({ kind: 'submission', where: 'submit.sh', what: `it ended with exit code ${this.#submitted}` });
      }
      this.#look();
    });
  }

  #start(run: LiveRun): void {
    if (!this.#hasJobStarted) this.#planFaults();
    this.#hasJobStarted = true;
    this.#jobs.start(run);
  }

  #planFaults(): void {
    for (const fault of this.config.faults) {
      if (fault.kind === 'app' || fault.kind === 'walltime') continue;
      setTimeout(() => this.#bring(fault), fault.atSeconds * 1000);
    }
  }

  #bring(fault: Exclude<Fault, { readonly kind: 'app' | 'walltime' }>): void {
    if (fault.kind === 'node') {
      this.#say(`fault ${faultText(fault)}`);
      this.#hosts.cut(fault.node);
      this.#machine.fail(fault.node);
      return;
    }
    const met =
      fault.kind === 'store'
        ? storeProcesses(this.config.state, fault.name)
        : serverProcesses(this.config, storeOf(fault.store, this.#plan)?.name ?? '', fault.shard);
    if (met.length > 0) {
      this.#say(`fault ${faultText(fault)}`);
      signalProcesses(met, 'SIGKILL');
    } else if (!this.#machine.isIdle()) {
      // It meets what is not there yet as soon as it is.
      setTimeout(() => this.#bring(fault), againMs);
    }
  }

  #serve(client: Socket): void {
    client.on('error', () => undefined);
    onLines(client, (message) => {
      if (typeof message === 'object' && message !== null && 'call' in message)
        this.#launch(message as CallMessage, client);
    });
  }

  /** Answer of one of the scheduler's commands. */
  #command(received: CallMessage['call']): Answer {
    const call: Call = { ...received, stdin: received.stdin, ...filesOf(received.cwd) };
    const before = this.#machine.jobs.length;
    const print = this.#scheduler.commands[call.name]?.(call, this.#machine);
    if (print === undefined) throw new Error(`no stand-in for ${call.name}`);
    const isSubmission = call.name === queriesOf[this.#plan.target]?.submit;
    if (print.code !== 0 && this.#machine.jobs.length === before && isSubmission) {
      this.#found({ kind: 'refused', where: scriptIn(call, this.config.dir), what: print.stderr.trim() });
    }
    for (const job of this.#machine.jobs.slice(before)) {
      for (const { line, text, why } of job.request.ignored) {
        const where = `${relative(this.config.dir, join(job.request.cwd, job.request.script))}:${line}`;
        this.#found({ kind: 'ignored directive', where, what: `'${text}' is not read: ${why}` });
      }
    }
    return print;
  }

  #launch({ call: received }: CallMessage, client: Socket): void {
    const call: Call = { ...received, stdin: received.stdin, ...filesOf(received.cwd) };
    const launcher = launchers[call.name];
    if (launcher === undefined) {
      client.end(`${JSON.stringify({ print: { stdout: '', stderr: `${call.name}: not rehearsed\n`, code: 127 } })}\n`);
      return;
    }
    const own = this.#scheduler.jobOf(call.env);
    const job = this.#machine.jobs.find(({ id }) => id === own?.id);
    const run = job?.runs.find(({ index }) => index === own?.index) ?? job?.runs[0];
    this.#steps.call(call, received.pid, launcher, run, client);
  }

  /** Sees if the rehearsal has come to its end, or cannot. */
  #look(): void {
    if (this.#submitted === undefined) return;
    if (this.#machine.isIdle() && this.#jobs.isIdle()) {
      this.#finish?.();
      return;
    }
    if (this.#isStopping) return;
    const found = deadlockOf(this.#plan, this.#machine, this.#steps.books, this.#steps.all);
    if (found === undefined) return;
    this.#found(found);
    this.stop('dead-lock');
  }

  #record(): RehearsalRecord {
    const runs = runRecords(this.#plan, this.#machine);
    const steps = stepRecords(this.#plan, this.#steps.all);
    const findings = [...this.#findings, ...findingsAtEnd(this.#plan, runs, steps, this.#isStopping)];
    return {
      version: 1,
      experiment: this.#plan.experiment,
      scheduler: this.#scheduler.name,
      isolation: this.#hosts.says,
      nodes: this.#machine.nodes.map(({ name, cpus, gpus, memoryMiB }) => ({ name, cpus, gpus, memoryMiB })),
      seconds: this.#machine.now(),
      ...{ runs, steps, findings },
      faults: this.config.faults.map(faultText),
      submitted: this.#submitted ?? 1,
    };
  }
}

function hostsOf(config: ServerConfig, plan: Plan, names: readonly string[]): Hosts {
  const named = [
    plan.networkInterface,
    ...plan.stores.map((store) =>
      store.kind === 'standalone'
        ? store.interface
        : store.transport.kind === 'tcp'
          ? store.transport.interface
          : undefined,
    ),
  ].flatMap((name) => (name === undefined || name === 'lo' ? [] : [name]));
  if (config.isolation === 'plain') return new PlainHosts(names, config.state, named);
  // An interface that is named is one beside that of the hosts' names.
  const interfaces = new Set(['eth0', ...named]);
  const shared = [...config.shared, ...pathsIn(process.env)];
  return new NamespaceHosts({
    names,
    state: config.state,
    shared,
    interfaces: [...interfaces],
  });
}

/** Absolute paths that variables of the environment name. */
function pathsIn(env: NodeJS.ProcessEnv): string[] {
  return Object.values(env).flatMap((value) => (value ?? '').split(':').filter((word) => /^\/tmp\/./.test(word)));
}

function scriptIn({ argv, cwd }: Call, dir: string): string {
  const script = argv.findLast((word) => word.startsWith('jobs/') || word.includes('/jobs/'));
  return script === undefined ? 'submit.sh' : relative(dir, join(cwd, script));
}

export function elementText({ index }: { readonly index?: number | undefined }): string {
  return index === undefined ? '' : ` element ${index}`;
}

function stateText({ state, nodes, exitCode, restarts, isRequeued }: LiveRun): string {
  if (state === 'pending' && restarts > 0) return 'is queued again';
  const names = nodes.map(({ name }) => name).join(' ');
  if (state === 'running') return `runs on ${names}`;
  if (state === 'failed') return `failed with exit code ${exitCode}`;
  return state === 'timeout'
    ? 'was ended at its walltime'
    : state === 'node_fail'
      ? `lost a node${isRequeued ? ', and starts anew' : ''}`
      : state;
}
