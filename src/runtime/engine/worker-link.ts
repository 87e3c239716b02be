import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { WorkflowError } from '../../diagnostics/index.js';
import { busyPollMicros } from '../orchestrator/busy-poll.js';
import type { OrchestratorOptions, OrchestratorStats, WarmUp } from '../orchestrator/index.js';
import { defaultRunLimitMs } from '../orchestrator/inference/index.js';
import { defaultBulkBytes } from './server-config.js';
import type { FromWorker, ToWorker, WorkerProcessOptions } from './worker-messages.js';

/** A worker that dies more often than that within the time is not started again: what kills it will kill the next. */
const most = { deaths: 10, withinMs: 60_000 };
const endMs = 3000;
/** Milliseconds between two looks whether it is alive, of which it gives a sign as often, and the fewest looks without one. */
const lookMs = 1000;
const fewestLooks = 3;
/** Milliseconds that a report may take which is asked for. */
const reportMs = 1000;

/** Options of a link to a worker process. */
export interface WorkerLinkOptions {
  readonly worker: WorkerProcessOptions;
  /** The bundle, whose verb `ai-worker` it is. Default: the module beside this code. */
  readonly bundle: URL | undefined;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;
  /** Called when it has died too often. */
  readonly onGivenUp: (reason: string) => void;
}

/** Starts the AI layer of a store, or of several that are servers of one cluster; `sockets` are those of their modules; with `outlivesServers` they may die and come back. @throws WorkflowError RUN1004 */
export async function startWorker(
  { store, bundle }: { readonly store: OrchestratorOptions; readonly bundle?: URL },
  sockets: readonly string[],
  onGivenUp: (reason: string) => void,
  outlivesServers = false,
): Promise<WorkerLink> {
  const link = new WorkerLink({
    bundle,
    worker: {
      sockets,
      outlivesServers,
      maxBulkBytes: store.maxBulkBytes ?? defaultBulkBytes,
      onnxRuntime: store.onnxRuntime,
      python: store.python,
      threadsPerQueue: store.threadsPerQueue,
      interOpThreads: store.interOpThreads,
      intraOpThreads: store.intraOpThreads,
      busyPollMicros: busyPollMicros(store.busyPollMicros),
      mapDevice: store.mapDevice,
      devices: store.devices,
      preloadBackends: store.preloadBackends,
      runLimitMs: store.executionTimeoutSeconds === undefined ? undefined : store.executionTimeoutSeconds * 1000,
      workerUrl: (store.workerUrl ?? bundle)?.href,
    },
    log: (level, message) => store.log?.(level, message),
    onGivenUp,
  });
  try {
    await link.start();
    return link;
  } catch (error) {
    await link.stop();
    throw new WorkflowError({ code: 'RUN1004', message: (error as Error).message, cause: error });
  }
}

/** Keeps the process of the AI layer running: one that dies is started again at once. */
export class WorkerLink {
  readonly #options: WorkerLinkOptions;
  #child: ChildProcess | undefined;
  readonly #deaths: number[] = [];
  #isToEnd = false;
  #stats: Pick<OrchestratorStats, 'inferences' | 'workers'> = { inferences: 0, workers: [] };
  #onReady: (problem: string | undefined) => void = () => undefined;
  #onWarmedUp: (done: readonly WarmUp[]) => void = () => undefined;
  #onReport: () => void = () => undefined;
  #reason = '';
  /** Looks since its last sign of life. A job that is suspended suspends both. */
  #looks = 0;
  /** True once it has reached the server: before that it may start what takes long. */
  #isReady = false;
  #looking: NodeJS.Timeout | undefined;

  constructor(options: WorkerLinkOptions) {
    this.#options = options;
  }

  /** Number of its process; undefined while there is none. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get stats(): Pick<OrchestratorStats, 'inferences' | 'workers'> {
    return this.#stats;
  }

  /** Starts it; rejects if the first does not get as far as the server. */
  async start(): Promise<void> {
    this.#looking = setInterval(() => this.#look(), lookMs);
    this.#looking.unref();
    const problem = await new Promise<string | undefined>((resolve) => {
      this.#onReady = resolve;
      this.#fork();
    });
    if (problem !== undefined) throw new Error(`the AI layer did not start: ${problem}`);
  }

  /** Runs all models that it has loaded once on zeros. */
  warmUp(keys: readonly string[]): Promise<readonly WarmUp[]> {
    return new Promise((resolve) => {
      this.#onWarmedUp = resolve;
      if (this.#child === undefined || !this.#child.connected) resolve([]);
      else this.#child.send({ warmUp: keys } satisfies ToWorker);
    });
  }

  /** Asks it what it has done; resolves when it has answered, or after a second. */
  async refreshStats(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !child.connected || !this.#isReady) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, reportMs);
      this.#onReport = resolve;
      child.send({ report: true } satisfies ToWorker);
    });
    clearTimeout(timer);
  }

  async stop(): Promise<void> {
    this.#isToEnd = true;
    clearInterval(this.#looking);
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.connected) child.disconnect();
    const timer = setTimeout(() => child.kill('SIGKILL'), endMs);
    await ended;
    clearTimeout(timer);
  }

  #fork(): void {
    const { bundle, worker } = this.#options;
    const child = fork(...commandOf(bundle));
    this.#child = child;
    child.stdout?.on('data', (text: Buffer) => this.#options.log('info', `AI layer: ${text.toString().trimEnd()}`));
    child.stderr?.on('data', (text: Buffer) => this.#options.log('warn', `AI layer: ${text.toString().trimEnd()}`));
    child.on('message', (message) => this.#hear(message as FromWorker));
    child.on('error', (error) => this.#options.log('error', `the AI layer: ${error.message}`));
    child.once('exit', (code, signal) => this.#died(signal ?? `exit code ${code}`));
    child.send({ start: worker } satisfies ToWorker);
  }

  /** Ends it if it has given no sign of life for longer than any run may take. */
  #look(): void {
    const child = this.#child;
    this.#looks += 1;
    const most = Math.max(fewestLooks, Math.ceil((this.#options.worker.runLimitMs ?? defaultRunLimitMs) / lookMs));
    if (child === undefined || !this.#isReady || this.#looks <= most) return;
    this.#reason = `it gave no sign of life for ${most} s`;
    child.kill('SIGKILL');
  }

  #hear(message: FromWorker): void {
    this.#looks = 0;
    if ('log' in message) this.#options.log(...message.log);
    else if ('ready' in message) {
      this.#isReady = true;
      this.#onReady(undefined);
    } else if ('failed' in message) this.#reason = message.failed;
    else if ('stats' in message) {
      this.#stats = message.stats;
      if (message.isAnswer) this.#onReport();
    } else this.#onWarmedUp(message.warmedUp);
  }

  #died(how: string): void {
    this.#child = undefined;
    this.#isReady = false;
    this.#onWarmedUp([]);
    this.#onReport();
    const reason = this.#reason === '' ? how : `${how}: ${this.#reason}`;
    this.#reason = '';
    this.#onReady(reason);
    if (this.#isToEnd) return;
    const now = performance.now();
    this.#deaths.push(now);
    while (now - (this.#deaths[0] ?? now) > most.withinMs) this.#deaths.shift();
    if (this.#deaths.length > most.deaths) {
      this.#options.onGivenUp(`the AI layer died ${this.#deaths.length} times within a minute, at last: ${reason}`);
      return;
    }
    this.#options.log(
      'warn',
      `the AI layer died (${reason}) and is started again; tensors, models and scripts are untouched`,
    );
    this.#fork();
  }
}

function commandOf(bundle: URL | undefined): Parameters<typeof fork> {
  const options = {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'] as ('ignore' | 'pipe' | 'ipc')[],
    serialization: 'advanced' as const,
  };
  if (bundle !== undefined) return [fileURLToPath(bundle), ['ai-worker'], { ...options, execArgv: [] }];
  const isSource = import.meta.url.endsWith('.ts');
  const entry = fileURLToPath(new URL(`./worker-entry.${isSource ? 'ts' : 'js'}`, import.meta.url));
  return [entry, [], { ...options, execArgv: isSource ? ['--import', tsxLoader()] : [] }];
}

/** Lets Node run TypeScript: in a checkout only. */
function tsxLoader(): string {
  return new URL('dist/loader.mjs', pathToFileURL(createRequire(import.meta.url).resolve('tsx/package.json'))).href;
}
