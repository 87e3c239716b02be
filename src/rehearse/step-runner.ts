import type { Socket } from 'node:net';
import { dirname, join, relative } from 'node:path';
import type { Plan } from '../ir/index.js';
import type { ServerConfig } from './config.js';
import type { Hosts } from './hosts/hosts.js';
import { ownerOf, type Step, StepBooks, sharesOf } from './launches.js';
import type { LiveJob, LiveRun, Machine } from './machine/machine.js';
import { nodeVariables } from './path.js';
import { signalProcesses } from './processes.js';
import { onLines, type RankOrder, type ServerMessage } from './protocol.js';
import type { Finding } from './record.js';
import {
  type AllocatedNode,
  type Allocation,
  type Answer,
  type Call,
  isRefusal,
  type Launch,
  type LauncherStandIn,
  type Refusal,
  type RunningStep,
} from './standins.js';

/** 128 + SIGKILL: exit code of ranks on a node that is lost. */
const killedCode = 137;

interface Parts {
  readonly config: ServerConfig;
  readonly hosts: Hosts;
  readonly machine: Machine;
  readonly plan: Plan;
  changed(text: string): void;
  found(finding: Finding): void;
}

/** Starts what launchers ask for, as soon as there is room for it, and knows what runs. */
export class StepRunner {
  readonly books = new StepBooks();
  readonly all: Step[] = [];
  /** Members that a fault has already met. */
  readonly #met = new Set<string>();

  constructor(private readonly parts: Parts) {}

  /** A launcher was called. */
  call(call: Call, pid: number, launcher: LauncherStandIn, run: LiveRun | undefined, socket: Socket): void {
    const attempt = (nodes: readonly AllocatedNode[]) => launcher(call, allocationOf(run, nodes));
    const first = attempt(run?.nodes ?? []);
    if (!isLaunch(first)) {
      this.#refuse(call, run, first, socket);
      return;
    }
    if (run === undefined || run.state !== 'running') {
      this.#refuse(call, run, { stderr: `${call.name}: error: the job has ended\n`, code: 1 }, socket);
      return;
    }
    const { plan, config, machine } = this.parts;
    const owner = ownerOf(plan, config.dir, first, call.cwd);
    const step: Step = {
      run,
      number: this.all.filter((one) => one.run === run).length,
      name: owner.member ?? first.name ?? call.name,
      ...{ kind: owner.kind, entity: owner.entity, host: call.host, pid, socket },
      askedAt: machine.now(),
      launch: first,
      place: (nodes) => {
        const moved = attempt(nodes);
        return isLaunch(moved) ? moved : undefined;
      },
      startedAt: undefined,
      endedAt: undefined,
      codes: [],
      pids: new Map(),
    };
    this.all.push(step);
    socket.on('close', () => this.#ended(step));
    onLines(socket, (message) => this.#heard(step, message));
    if (this.books.take(step)) this.#start(step, call);
    else if (first.waits !== true) {
      step.endedAt = machine.now();
      this.#refuse(call, run, first.waits, socket);
    } else {
      this.#waiting.set(step, call);
      this.parts.changed(`${titleOf(step)} waits for CPUs, GPUs or memory`);
    }
  }

  readonly #waiting = new Map<Step, Call>();

  #refuse(call: Call, run: LiveRun | undefined, answer: Refusal | Answer, socket: Socket): void {
    const print = { stdout: '', ...answer };
    socket.end(`${JSON.stringify({ print } satisfies ServerMessage)}\n`);
    // A launch after the end of its job is no fault of the script.
    if (answer.code === 0 || (run !== undefined && run.state !== 'running')) return;
    this.parts.found({ kind: 'refused', where: this.#placeOf(call, run), what: print.stderr.trim() });
  }

  /** The line of a script that launches what a call is for, else its job. */
  #placeOf({ argv, cwd, name }: Call, run: LiveRun | undefined): string {
    if (run === undefined) return `${name} ${argv.slice(0, 3).join(' ')}`;
    const { plan, config } = this.parts;
    const owner = ownerOf(plan, config.dir, { ranks: [{ command: argv }] } as unknown as Launch, cwd);
    const line = { store: `up ${owner.entity} `, application: `launch ${owner.entity} `, addresses: 'allow ' }[
      owner.kind
    ];
    const { script, cwd: from, text } = run.job.request;
    const at = text.split('\n').findIndex((one) => one.includes(`runtime ${line}`));
    return at === -1 ? `job ${run.job.request.name}` : `${relative(config.dir, join(from, script))}:${at + 1}`;
  }

  #start(step: Step, call: Call): void {
    const { machine, config, hosts } = this.parts;
    const { launch } = step;
    step.startedAt = machine.now();
    const stub = step.kind === 'application' ? config.stubSeconds : undefined;
    const ranks: RankOrder[] = launch.ranks.map((rank) => ({
      node: rank.node,
      rank: rank.rank,
      enter: rank.node === call.host && config.isolation === 'namespaces' ? [] : hosts.enter(rank.node),
      command: stub !== undefined && rank.rank === 0 ? (this.#keyWriter(step, stub) ?? rank.command) : rank.command,
      cwd: rank.cwd ?? call.cwd,
      env: {
        ...(rank.inheritsEnv === false ? nodeVariables() : {}),
        ...rank.env,
        ...hosts.environment(rank.node),
      },
      inheritsEnv: rank.inheritsEnv !== false,
      readsStdin: rank.readsStdin,
      ...(stub === undefined || (rank.rank === 0 && this.#keyWriter(step, stub) !== undefined)
        ? {}
        : { stubSeconds: stub }),
      missing: launch.missing?.(rank) ?? { stderr: `${call.name}: ${rank.command[0]}: command not found\n`, code: 127 },
    }));
    this.#tell(step, {
      ranks,
      endsOthers: launch.endsOthers,
      onTerminate: launch.onTerminate ?? 'passes',
      exitCode: launch.exitCode ?? 'highest',
      warnings: launch.warnings ?? [],
    });
    this.parts.changed(`${titleOf(step)} starts on ${[...sharesOf(launch).keys()].join(' ')}`);
    this.#bringFault(step);
  }

  /** Command of a program that writes the keys that others wait for; `undefined` where nobody waits for keys of the entity. */
  #keyWriter({ entity, name }: Step, seconds: number): readonly string[] | undefined {
    const { plan, config } = this.parts;
    const awaited = plan.entities
      .flatMap(({ after }) => after)
      .flatMap((one) => ('key' in one && (one.name === entity || one.name === name) ? [one] : []));
    const [first] = awaited;
    if (first === undefined) return undefined;
    const suffix = plan.stores.find((store) => store.name === first.store)?.suffix ?? '';
    const variable = suffix === '' ? 'SSDB' : `SSDB_${suffix}`;
    const program = join(dirname(config.standIn), 'stub.js');
    return [process.execPath, program, String(seconds), variable, ...awaited.map(({ key }) => key)];
  }

  #bringFault(step: Step): void {
    for (const fault of this.parts.config.faults) {
      if (fault.kind !== 'app' || (fault.name !== step.name && fault.name !== step.entity) || this.#met.has(fault.name))
        continue;
      this.#met.add(fault.name);
      setTimeout(() => this.#tell(step, { signal: 'SIGKILL' }), fault.atSeconds * 1000 + 100);
    }
  }

  #tell(step: Step, message: ServerMessage): void {
    if (!step.socket.destroyed) step.socket.write(`${JSON.stringify(message)}\n`);
  }

  #heard(step: Step, message: unknown): void {
    if (typeof message !== 'object' || message === null) return;
    if ('started' in message) {
      const { rank, pid } = message.started as { rank: number; pid: number };
      step.pids.set(rank, pid);
    }
    if ('ended' in message) {
      const { rank, code } = message.ended as { rank: number; code: number };
      step.codes[rank] = code;
      step.pids.delete(rank);
    }
  }

  /** The launcher has gone, and what it had started goes with it. */
  #ended(step: Step): void {
    if (step.endedAt !== undefined) return;
    step.endedAt = this.parts.machine.now();
    this.#waiting.delete(step);
    signalProcesses(
      [...step.pids.values()].map((pid) => ({ pid: -pid })),
      'SIGKILL',
    );
    this.books.of(step.run).release(step);
    for (const [waiting, call] of this.#waiting) {
      if (waiting.run !== step.run || !this.books.take(waiting)) continue;
      this.#waiting.delete(waiting);
      this.#start(waiting, call);
    }
    this.parts.changed(`${titleOf(step)} ends with exit code ${exitOf(step)}`);
  }

  /** Signals the launches of a run, or one of them. */
  signal(run: LiveRun, signal: NodeJS.Signals, number: number | undefined): void {
    const chosen = this.all.filter(
      (step) => step.run === run && step.endedAt === undefined && (number === undefined || step.number === number),
    );
    for (const step of chosen) this.#tell(step, { signal });
  }

  /** A run goes on without a node: launches that have it end, or go on without it as well. */
  lose(run: LiveRun, node: string): void {
    for (const step of this.all.filter((one) => one.run === run && one.endedAt === undefined)) {
      const { ranks, outlivesNodes, fixedNodes } = step.launch;
      if (!ranks.some((rank) => rank.node === node)) continue;
      const call = this.#waiting.get(step);
      if (call === undefined) {
        for (const rank of ranks) if (rank.node === node) step.codes[rank.rank] ??= killedCode;
        if (outlivesNodes !== true) this.#tell(step, { signal: 'SIGKILL' });
      } else if (fixedNodes) {
        this.#waiting.delete(step);
        step.endedAt = this.parts.machine.now();
        const stderr = `${call.name}: error: Unable to create step for job: Requested node configuration is not available\n`;
        this.#refuse(call, run, { stderr, code: 1 }, step.socket);
      }
    }
  }

  /** The processes of a run have ended: nothing of it waits any more. */
  forget(run: LiveRun): void {
    for (const step of this.all) if (step.run === run && step.endedAt === undefined) step.socket.destroy();
  }

  /** Launches of a job, as its scheduler shows them. */
  running(job: LiveJob): RunningStep[] {
    return this.all
      .filter((step) => step.run.job === job)
      .map(({ number, run, launch, host, pid, name, startedAt, endedAt }) => ({
        number,
        index: run.index,
        name: launch.name ?? name,
        nodes: startedAt === undefined ? [] : [...sharesOf(launch).keys()],
        ...{ host, pid },
        ended: endedAt !== undefined,
      }));
  }
}

function isLaunch(one: Launch | Refusal | Answer): one is Launch {
  return 'ranks' in one && !isRefusal(one);
}

function allocationOf(run: LiveRun | undefined, nodes: readonly AllocatedNode[]): Allocation | undefined {
  if (run === undefined) return undefined;
  return { jobId: run.ownId, request: run.job.request, nodes, components: run.components };
}

/** Highest exit code of a step's ranks. */
export function exitOf({ codes }: Pick<Step, 'codes'>): number {
  return Math.max(0, ...codes.filter((code) => code !== undefined));
}

/** Name of a step for people. */
export function titleOf({ kind, name, entity }: Pick<Step, 'kind' | 'name' | 'entity'>): string {
  return { store: `store ${entity ?? name}`, application: name, addresses: 'addresses of nodes' }[kind];
}
