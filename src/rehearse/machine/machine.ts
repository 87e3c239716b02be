import type {
  AllocatedNode,
  Cluster,
  Job,
  JobComponent,
  JobRequest,
  NodeShape,
  Run,
  RunningStep,
  Share,
} from '../standins.js';
import { Books } from './books.js';
import { conditionOf } from './conditions.js';

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** A run whose state the machine changes. */
export type LiveRun = Mutable<Run> & {
  readonly job: LiveJob;
  /** Nodes that it has lost and goes on without. */
  readonly lost: AllocatedNode[];
  /** True if it starts anew once all of it has ended. */
  isRequeued: boolean;
};

export interface LiveJob extends Job {
  readonly runs: LiveRun[];
  /** Runs in whose place others have come. */
  readonly earlier: LiveRun[];
}

/** Surroundings of the machine: processes start and are signalled. */
export interface Hooks {
  start(run: LiveRun): void;
  /** Ends the processes of a run; `ended` is called once they have. */
  end(run: LiveRun, signal: NodeJS.Signals): void;
  signal(run: LiveRun, signal: NodeJS.Signals, to: 'script' | 'launches' | 'all', step: number | undefined): void;
  steps(job: LiveJob): readonly RunningStep[];
  /** A run goes on without a node. */
  lost(run: LiveRun, node: string): void;
  /** A job was submitted, or a run has changed its state. */
  changed(job: LiveJob, run: LiveRun | undefined): void;
}

/** Settings of a fake machine. */
export interface MachineSettings {
  readonly nodes: readonly NodeShape[];
  readonly user: Cluster['user'];
  readonly firstJob?: number;
  /** Factor by which the scheduler's times shrink. */
  readonly speed: number;
  /** Most seconds that a run may take, whatever its walltime. */
  readonly walltimeLimitSeconds?: number;
}

/** The fake machine: its nodes, its queue of jobs, and who has which nodes. */
export class Machine implements Cluster {
  readonly name = 'rehearsal';
  readonly loginNode = 'login';
  readonly launchNode = 'launch';
  readonly nodes: readonly NodeShape[];
  readonly jobs: LiveJob[] = [];
  readonly user: Cluster['user'];
  readonly #books: Books<LiveRun>;
  readonly #down = new Set<string>();
  readonly #started = Date.now();
  #nextId: number;

  constructor(
    private readonly settings: MachineSettings,
    private readonly hooks: Hooks,
  ) {
    this.nodes = settings.nodes;
    this.user = settings.user;
    this.#nextId = settings.firstJob ?? 1;
    this.#books = new Books(this.nodes);
  }

  now(): number {
    return (Date.now() - this.#started) / 1000;
  }

  wallClock(seconds: number = this.now()): number {
    return this.#started + seconds * 1000;
  }

  fits({ components }: JobRequest): boolean {
    return this.#place(components, () => true, new Set()) !== undefined;
  }

  submit(asked: JobRequest): string {
    const limit = Math.min(
      asked.walltimeSeconds === undefined ? Number.POSITIVE_INFINITY : asked.walltimeSeconds / this.settings.speed,
      this.settings.walltimeLimitSeconds ?? Number.POSITIVE_INFINITY,
    );
    const request: JobRequest = {
      ...asked,
      walltimeSeconds: Number.isFinite(limit) ? Math.max(1, limit) : undefined,
      ...(asked.warning === undefined
        ? {}
        : { warning: { ...asked.warning, seconds: asked.warning.seconds / this.settings.speed } }),
    };
    const id = String(this.#nextId);
    const indices = request.array?.indices ?? [undefined];
    this.#nextId += Math.max(indices.length, request.components.length);
    const runs: LiveRun[] = [];
    const job: LiveJob = { id, request, submittedAt: this.now(), runs, earlier: [] };
    for (const [place, index] of indices.entries()) {
      const waits = request.held ? ({ state: 'held', waitsFor: 'hold' } as const) : {};
      runs.push({ ...newRun({ job, index, ownId: String(Number(id) + place), restarts: 0 }), ...waits });
    }
    this.jobs.push(job);
    this.hooks.changed(job, undefined);
    // The command that submits has its answer before anything starts.
    setImmediate(() => this.schedule());
    return id;
  }

  cancel(id: string, index?: number): boolean {
    const runs = this.#alive(id, index);
    for (const run of runs) this.end(run, 'cancelled');
    if (runs.length > 0) this.schedule();
    return runs.length > 0;
  }

  signal(
    id: string,
    index: number | undefined,
    signal: NodeJS.Signals,
    to: 'script' | 'launches' | 'all',
    step?: number,
  ): boolean {
    const running = this.#alive(id, index).filter(({ state }) => state === 'running');
    for (const run of running) this.hooks.signal(run, signal, to, step);
    return running.length > 0;
  }

  release(id: string): boolean {
    const held = this.#alive(id).filter(({ state }) => state === 'held');
    for (const run of held) Object.assign(run, { state: 'pending', waitsFor: 'resources' });
    this.schedule();
    return held.length > 0;
  }

  steps(id: string): readonly RunningStep[] {
    const job = this.jobs.find((one) => one.id === id);
    return job === undefined ? [] : this.hooks.steps(job);
  }

  /** Gives a run a state that ends it; what runs of it is told to end. */
  end(run: LiveRun, state: 'cancelled' | 'timeout' | 'node_fail'): void {
    const wasRunning = run.state === 'running';
    run.state = state;
    run.waitsFor = undefined;
    const { limitSignal = 'SIGTERM' } = run.job.request;
    if (wasRunning) this.hooks.end(run, state === 'timeout' ? limitSignal : 'SIGTERM');
    else {
      run.endedAt = this.now();
      this.hooks.changed(run.job, run);
    }
  }

  /** Records that the processes of a run have ended. */
  ended(run: LiveRun, exitCode: number, signal: number | undefined): void {
    run.exitCode = signal === undefined ? exitCode : 128 + signal;
    run.signal = signal;
    run.endedAt = this.now();
    if (run.state === 'running') run.state = run.exitCode === 0 ? 'completed' : 'failed';
    this.#books.release(run);
    const { job, index, ownId, restarts } = run;
    const again = run.isRequeued ? newRun({ job, index, ownId, restarts: restarts + 1 }) : undefined;
    if (again !== undefined) {
      job.earlier.push(run);
      job.runs.splice(job.runs.indexOf(run), 1, again);
    }
    this.hooks.changed(job, run);
    if (again !== undefined) this.hooks.changed(job, again);
    this.schedule();
  }

  /** Takes a node out of service. Runs that have it end, but for those that go on without it; they start anew where the other nodes are enough. */
  fail(node: string): void {
    this.#down.add(node);
    for (const run of this.#running()) {
      const { outlivesNodes, requeues, components } = run.job.request;
      const [lost] = run.nodes.filter(({ name }) => name === node);
      if (lost === undefined) continue;
      if (outlivesNodes === true && run.host !== node) {
        run.lost.push(lost);
        run.nodes = run.nodes.filter((one) => one !== lost);
        run.components = run.components.map((names) => names.filter((name) => name !== node));
        this.hooks.lost(run, node);
        continue;
      }
      run.isRequeued = requeues === true && this.#place(components, () => true, this.#down) !== undefined;
      this.end(run, 'node_fail');
    }
  }

  #running(): LiveRun[] {
    return this.jobs.flatMap(({ runs }) => runs.filter(({ state }) => state === 'running'));
  }

  #alive(id: string, index?: number): LiveRun[] {
    const job = this.jobs.find((one) => one.id === id);
    return (job?.runs ?? []).filter(
      (run) => ['pending', 'held', 'running'].includes(run.state) && (index === undefined || run.index === index),
    );
  }

  /** True if all runs have ended. */
  isIdle(): boolean {
    return this.jobs.every(({ runs }) => runs.every(({ endedAt }) => endedAt !== undefined));
  }

  /** Starts what can start, in the order of submission; what does not fit is passed by others that do. */
  schedule(): void {
    for (const job of this.jobs) {
      for (const run of job.runs.filter(({ state }) => state === 'pending')) {
        const verdict = conditionOf(job, run, this.jobs);
        if (verdict === 'never') {
          run.waitsFor = 'dependency never met';
          if (job.request.endsUnrun) this.end(run, 'cancelled');
        } else if (verdict === 'not yet') run.waitsFor = 'dependency';
        else this.#tryToStart(job, run);
      }
    }
  }

  #tryToStart(job: LiveJob, run: LiveRun): void {
    const { components, array, onLaunchNode } = job.request;
    const running = job.runs.filter(({ state }) => state === 'running').length;
    if (array?.atMost !== undefined && running >= array.atMost) {
      run.waitsFor = 'array limit';
      return;
    }
    const placed = this.#place(components, () => false, this.#down);
    run.waitsFor = 'resources';
    if (placed === undefined) return;
    for (const node of placed.flat()) this.#books.take(node.name, node, run);
    run.nodes = placed.flat();
    run.components = placed.map((nodes) => nodes.map(({ name }) => name));
    run.host = onLaunchNode ? this.launchNode : run.nodes[0]?.name;
    run.startedAt = this.now();
    run.state = 'running';
    run.waitsFor = undefined;
    this.hooks.start(run);
    this.hooks.changed(job, run);
  }

  /** Nodes for a job's components if the holders that `but` picks out held nothing; `undefined` where there is no room. */
  #place(
    components: readonly JobComponent[],
    but: (run: LiveRun) => boolean,
    down: ReadonlySet<string>,
  ): AllocatedNode[][] | undefined {
    const taken = new Set<string>();
    const placed: AllocatedNode[][] = [];
    for (const component of components) {
      const share = shareOf(component);
      const may = this.nodes.filter(
        ({ name }) =>
          !taken.has(name) &&
          !down.has(name) &&
          !component.notOn?.includes(name) &&
          this.#books.hasRoom(name, share, but) &&
          (!component.exclusive || this.#books.holdersOf(name).every(({ holder }) => but(holder))),
      );
      const named = (component.onlyOn ?? []).flatMap((host) => may.filter(({ name }) => name === host));
      if (named.length < Math.min(component.onlyOn?.length ?? 0, component.nodes)) return undefined;
      const chosen = [...named, ...may.filter((one) => !named.includes(one))].slice(0, component.nodes);
      if (chosen.length < component.nodes) return undefined;
      for (const { name } of chosen) taken.add(name);
      placed.push(chosen.map(({ name }) => ({ name, ...share })));
    }
    return placed;
  }

  /** Runs that hold what a waiting run needs, where it would not even fit if all that `but` picks out had ended; `undefined` where it would. */
  holdersAgainst(run: LiveRun, but: (other: LiveRun) => boolean): LiveRun[] | undefined {
    if (this.#place(run.job.request.components, but, this.#down) !== undefined) return undefined;
    return this.#running().filter((other) => !but(other));
  }
}

function newRun(of: Pick<LiveRun, 'job' | 'index' | 'ownId' | 'restarts'>): LiveRun {
  return {
    ...of,
    state: 'pending',
    waitsFor: 'resources',
    exitCode: undefined,
    signal: undefined,
    startedAt: undefined,
    endedAt: undefined,
    nodes: [],
    components: [],
    host: undefined,
    lost: [],
    isRequeued: false,
  };
}

function shareOf({ cpusPerNode, gpusPerNode, memoryMiB }: JobComponent): Share {
  return { cpus: cpusPerNode, gpus: gpusPerNode, memoryMiB };
}
