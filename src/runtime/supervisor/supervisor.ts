import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowError } from '../../diagnostics/index.js';
import type { Plan, Store } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { hasOwnJob, storeOf } from '../job/read-plan.js';
import { announceEnd, suspendAddress, withdrawAddress } from '../store-files/address-file.js';
import { readJsonLines, writeJsonLine } from './json-lines.js';
import { LinkListener } from './link-listener.js';
import { type Reply, Request, toWire } from './messages.js';
import { RestartBudget } from './restart-budget.js';
import { notSaved, saveMsOf } from './save-time.js';
import { restartStore, type StartHandle, startStore } from './start-store.js';
import type { StoreLaunch, StoreProcess } from './store-process.js';

/** Milliseconds between two attempts to start a store again. */
const restartPauseMs = 200;

type Launch = Omit<StoreLaunch, 'port'>;

interface Watcher {
  readonly socket: Socket;
  readonly stores: readonly string[];
}

/** Holds the stores of a job, tells launches when one dies, and ends them all. */
export class Supervisor {
  readonly #job: JobEnvironment;
  readonly #plan: Plan;
  readonly #runtime: readonly string[];
  readonly #server: Server;
  readonly #stores = new Map<string, StoreProcess>();
  readonly #starting = new Map<string, StartHandle>();
  readonly #dead = new Map<string, WorkflowError>();
  readonly #watchers = new Set<Watcher>();
  readonly #sockets = new Set<Socket>();
  readonly #onStopped: () => void;
  #stopping: Promise<readonly string[]> | undefined;
  #links: Promise<LinkListener> | undefined;

  /** `runtime` is the command line that runs this bundle; `onStopped` is called once, when everything has ended. */
  constructor(job: JobEnvironment, plan: Plan, runtime: readonly string[], onStopped: () => void) {
    this.#job = job;
    this.#plan = plan;
    this.#runtime = runtime;
    this.#onStopped = onStopped;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** Listens on the control socket, mode 0600, which nobody else may be listening on. */
  listen(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      // The socket file is made before listen() returns, so the mask holds for it alone.
      const mask = process.umask(0o177);
      try {
        this.#server.listen({ path }, resolve);
      } finally {
        process.umask(mask);
      }
    });
  }

  /** Ends all stores, which save what is still needed. Returns what is to be said of those that could not. */
  stop(): Promise<readonly string[]> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Ends if there is no store to hold: whoever wanted one has gone. */
  stopIfIdle(): void {
    if (this.#stores.size + this.#starting.size === 0) void this.stop();
  }

  /** Ends all stores once no launch watches them any more, or after a while. */
  async stopAfterLaunches(patienceMs: number): Promise<void> {
    const end = performance.now() + patienceMs;
    while (this.#watchers.size > 0 && performance.now() < end) await sleep(20);
    await this.stop();
  }

  async #stop(): Promise<readonly string[]> {
    for (const handle of this.#starting.values()) handle.givenUp = true;
    const starting = [...this.#starting.values()].flatMap(({ current }) => (current === undefined ? [] : [current]));
    // Asked while the stores end already.
    const saveMs = saveMsOf(this.#job, this.#plan);
    const whys = await Promise.all(
      [...this.#stores].map(async ([name, store]) => ({ name, why: await store.stop(saveMs) })),
    );
    await Promise.all(starting.map((store) => store.stop(0)));
    const notices = await this.#notices(whys);
    for (const notice of notices) console.log(notice);
    for (const name of this.#stores.keys()) this.#withdraw(name, 'its job has ended');
    this.#server.close();
    (await this.#links?.catch(() => undefined))?.close();
    // Answers to `stop` are written before the caller ends the process.
    setImmediate(() => {
      for (const socket of this.#sockets) socket.end();
      this.#onStopped();
    });
    return notices;
  }

  /** Notices about stores that were to be saved and were not. */
  async #notices(whys: readonly { readonly name: string; readonly why: string | undefined }[]): Promise<string[]> {
    const unsaved = whys.flatMap(({ name, why }) => (why === undefined ? [] : [{ name, why }]));
    if (unsaved.length === 0) return [];
    // Reading code takes most of a start, and this code is needed only at the end.
    const { isToBeSaved } = await import('../rerun/saving.js');
    return unsaved.flatMap(({ name, why }) =>
      isToBeSaved(this.#job, this.#plan, storeOf(this.#plan, name)) ? [notSaved(name, why)] : [],
    );
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(socket);
      for (const watcher of this.#watchers) if (watcher.socket === socket) this.#watchers.delete(watcher);
      this.stopIfIdle();
    });
    readJsonLines(socket, (value) => {
      const request = Request.safeParse(value);
      if (request.success) void this.#answer(socket, request.data);
    });
  }

  async #answer(socket: Socket, request: Request): Promise<void> {
    const reply = (message: Reply) => writeJsonLine(socket, message);
    try {
      switch (request.op) {
        case 'start':
          await this.#start(socket, request);
          return reply({ done: true });
        case 'watch':
          return this.#watch(socket, request.stores);
        case 'exists':
          return reply({ exists: await this.#exists(request.store, request.key) });
        case 'stop':
          return reply({ done: true, notices: [...(await this.stop())] });
      }
    } catch (error) {
      reply({ failed: toWire(error, 'RUN1004') });
      // Nothing is left of an `up` that failed.
      this.stopIfIdle();
    }
  }

  async #start(socket: Socket, request: Extract<Request, { op: 'start' }>): Promise<void> {
    const store = storeOf(this.#plan, request.store);
    if (this.#stopping !== undefined || this.#stores.has(store.name) || this.#starting.has(store.name)) {
      throw new WorkflowError({
        code: 'RUN1004',
        message: `store '${store.name}' has been started by this job already`,
      });
    }
    const handle: StartHandle = { current: undefined, givenUp: false };
    this.#starting.set(store.name, handle);
    // An `up` that goes away before its answer wants no store any more.
    socket.once('close', () => {
      handle.givenUp = true;
      if (this.#starting.has(store.name)) void handle.current?.stop(0);
    });
    try {
      const { launch: words, onnxRuntime, python, env } = request;
      // A store that no launcher starts is a child, and has its pipe.
      const links = words.length === 0 ? undefined : await this.#listener();
      const launch = { store, launch: words, runtime: this.#runtime, onnxRuntime, python, env, links };
      this.#hold(launch, await startStore(this.#job, launch, handle), new RestartBudget());
    } finally {
      this.#starting.delete(store.name);
    }
  }

  #listener(): Promise<LinkListener> {
    this.#links ??= LinkListener.open(this.#job, this.#plan);
    return this.#links;
  }

  /** True if a key exists in a store of the job. Throws RUN1005 for one that does not run. */
  async #exists(name: string, key: string): Promise<boolean> {
    const exists = await this.#stores.get(name)?.exists(key);
    if (exists !== undefined) return exists;
    throw this.#dead.get(name) ?? new WorkflowError({ code: 'RUN1005', message: `store '${name}' does not answer` });
  }

  #hold(launch: Launch, process: StoreProcess, budget: RestartBudget): void {
    this.#stores.set(launch.store.name, process);
    void process.ended.then(() => this.#onEnded(launch, process, budget));
  }

  async #onEnded(launch: Launch, process: StoreProcess, budget: RestartBudget): Promise<void> {
    if (this.#stopping !== undefined) return;
    const problem = process.deathProblem();
    console.log(problem.message);
    if (!(isRestarted(launch.store) && process.crashed)) return this.#onDead(launch.store, problem);
    suspendAddress(this.#job, launch.store.name);
    // Those who use the store are not told: it comes back where it was.
    const handle: StartHandle = { current: undefined, givenUp: false };
    this.#starting.set(launch.store.name, handle);
    try {
      this.#hold(launch, await this.#restart(launch, handle, budget, problem), budget);
    } catch (error) {
      if (!handle.givenUp) this.#onDead(launch.store, error as WorkflowError);
    } finally {
      this.#starting.delete(launch.store.name);
    }
  }

  /** Tries until the store answers again. Throws RUN1005 when it has been started too often. */
  async #restart(
    launch: Launch,
    handle: StartHandle,
    budget: RestartBudget,
    problem: WorkflowError,
  ): Promise<StoreProcess> {
    let last: string = problem.message;
    while (!handle.givenUp && budget.take()) {
      console.log(`store '${launch.store.name}' is started again`);
      try {
        return await restartStore(this.#job, launch, handle);
      } catch (error) {
        last = error instanceof Error ? error.message : String(error);
        console.log(last);
        await sleep(restartPauseMs);
      }
    }
    throw new WorkflowError({
      code: 'RUN1005',
      message: `store '${launch.store.name}' was started again too often; at last: ${last}`,
      hint: `its log is run/stores/${launch.store.name}/`,
    });
  }

  #onDead(store: Store, problem: WorkflowError): void {
    this.#dead.set(store.name, problem);
    this.#withdraw(store.name, problem.message);
    for (const { socket, stores } of this.#watchers) {
      if (stores.includes(store.name)) writeJsonLine(socket, { failed: toWire(problem, 'RUN1005') } satisfies Reply);
    }
  }

  #withdraw(name: string, reason: string): void {
    withdrawAddress(this.#job, name);
    if (hasOwnJob(this.#plan, name)) announceEnd(this.#job, name, reason);
  }

  #watch(socket: Socket, stores: readonly string[]): void {
    const dead = stores.map((name) => this.#dead.get(name)).find((problem) => problem !== undefined);
    if (dead !== undefined) {
      writeJsonLine(socket, { failed: toWire(dead, 'RUN1005') } satisfies Reply);
      return;
    }
    this.#watchers.add({ socket, stores });
    writeJsonLine(socket, { watching: true } satisfies Reply);
  }
}

function isRestarted(store: Store): boolean {
  return store.kind === 'standalone' && store.restart;
}
