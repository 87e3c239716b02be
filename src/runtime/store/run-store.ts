import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan, Store } from '../../ir/index.js';
import { type JobEnvironment, thisHost } from '../job/job-environment.js';
import { removeJobFolderIfEmpty } from '../job/job-folder.js';
import { storeFolder, storeJobFolder } from '../job/paths.js';
import { readPlan, storeOf } from '../job/read-plan.js';
import { type Orchestrator, type OrchestratorOptions, startOrchestrator } from '../orchestrator/index.js';
import { preloadModels } from '../preload/preload-models.js';
import { writeJsonLine } from '../supervisor/json-lines.js';
import { type StoreWord, toWire } from '../supervisor/messages.js';
import { parseDeviceMap } from './device-map.js';
import { listenPlace } from './listen-places.js';
import { LogFile } from './log-file.js';
import { pinProcess } from './pin-process.js';
import { keepStatsFile } from './stats-file.js';

/** What the supervisor gives a store on its command line. */
export interface StoreArguments {
  readonly store: string;
  readonly port: number | undefined;
  readonly onnxRuntime: string | undefined;
  /** The bundle, which is also the inference thread's module. */
  readonly workerUrl: URL;
}

/**
 * A store's process on one node: starts the orchestrator, loads its models, says so on standard output, and lives until its standard
 * input closes or it gets SIGTERM.
 */
export async function runStore(job: JobEnvironment, args: StoreArguments): Promise<number> {
  const plan = readPlan(job.dir);
  const store = storeOf(plan, args.store);
  const folder = storeJobFolder(job, store.name);
  const log = new LogFile(join(folder, `${thisHost()}.log`));
  const ended = pipeClosed();
  process.stdout.on('error', () => {});
  let orchestrator: Orchestrator | undefined;
  try {
    // Before it has threads: those it starts later inherit the CPUs.
    if (store.kind === 'colocated' && store.pin !== undefined) pinProcess(store.name, store.pin);
    orchestrator = await startOrchestrator(await orchestratorOptions(job, plan, store, args, log));
    await Promise.race([preloadModels(job.dir, store, orchestrator.addresses[0] ?? ''), ended]);
    const stopStats = keepStatsFile(join(folder, `${thisHost()}.stats.json`), () => statsOf(orchestrator));
    const { addresses } = orchestrator;
    say({ ready: { host: thisHost(), addresses: [...addresses], pid: process.pid } });
    log.write('info', `ready at ${addresses.join(', ')}`);
    await ended;
    stopStats();
    log.write('info', 'ended');
    return 0;
  } catch (error) {
    const problem = toWire(error, 'RUN1004');
    log.write('error', problem.message);
    say({ failed: problem, host: thisHost() });
    return 1;
  } finally {
    await orchestrator?.close();
    removeJobFolderIfEmpty(job);
    log.close();
  }
}

function statsOf(orchestrator: Orchestrator | undefined): ReturnType<Orchestrator['stats']> {
  return orchestrator?.stats() ?? { usedBytes: 0, keys: 0, clients: 0, requests: 0, inferences: 0 };
}

async function orchestratorOptions(
  job: JobEnvironment,
  plan: Plan,
  store: Store,
  args: StoreArguments,
  log: LogFile,
): Promise<OrchestratorOptions> {
  const place = await listenPlace(job, plan, store, args.port);
  const isOpen = store.kind === 'standalone' && store.scope === 'network' && place.kind === 'tcp';
  const allowFolder = join(storeFolder(job.dir, store.name), 'allow');
  if (isOpen) mkdirSync(allowFolder, { recursive: true, mode: 0o700 });
  return {
    listen: [place],
    ...(isOpen ? { allow: { addresses: [place.host], folder: allowFolder } } : {}),
    ...(args.onnxRuntime === undefined ? {} : { onnxRuntime: args.onnxRuntime }),
    ...optional('threadsPerQueue', store.threadsPerQueue),
    ...optional('interOpThreads', store.interOpThreads),
    // Without a number of its own, ONNX Runtime would take every core of the node, the application's too.
    intraOpThreads: store.intraOpThreads ?? store.cpus,
    ...optional('maxClients', store.maxClients),
    ...optional('maxMemoryBytes', store.maxMemoryMiB === undefined ? undefined : store.maxMemoryMiB * 1024 * 1024),
    mapDevice: parseDeviceMap(process.env['SIMWRIGHT_MAP_DEVICE']),
    workerUrl: args.workerUrl,
    log: log.write,
  };
}

function optional<Key extends string>(key: Key, value: number | undefined): { readonly [Name in Key]?: number } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [Name in Key]: number });
}

/** Resolves when whoever holds the other end of standard input has gone, or a signal says to end. */
function pipeClosed(): Promise<void> {
  return new Promise((resolve) => {
    const end = () => resolve();
    process.stdin.on('end', end).on('close', end).on('error', end).resume();
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, end);
  });
}

function say(word: StoreWord): void {
  writeJsonLine(process.stdout, word);
}
