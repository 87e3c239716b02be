import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import type { Plan, Store } from '../../ir/index.js';
import { launcherOfProgram } from '../../targets/launchers/index.js';
import { allowHosts } from '../allow/allow-hosts.js';
import { pruneAllowList } from '../allow/allow-list.js';
import { assertForStore } from '../assert/assert-job.js';
import { lookForOnnxRuntime } from '../assert/find-onnx-runtime.js';
import { pythonOf } from '../assert/python.js';
import { hostPositions } from '../job/hosts.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { isCheckpoint, savedFolder, storeJobFolder } from '../job/paths.js';
import { hasOwnJob, jobOf, readPlan, storeOf } from '../job/read-plan.js';
import { moveAside } from '../rerun/aside.js';
import { lockScheduler } from '../scheduler/lock-scheduler.js';
import { announceEnd, forgetEnd } from '../store-files/address-file.js';
import { isRecord } from '../store-files/saved-stores.js';
import { startSupervisor } from '../supervisor/start-supervisor.js';
import { assertAlone } from './assert-alone.js';
import { assertRunnable } from './assert-runnable.js';

/** Options of `up`. */
export interface UpOptions {
  readonly store: string;
  /** Words that start one process a node of the store; empty: it runs on this host. */
  readonly launch: readonly string[];
  /** Path of the bundle, absolute. */
  readonly bundle: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Starts a store and returns when it answers on every node, its models loaded; a supervisor stays behind. */
export async function up(job: JobEnvironment, options: UpOptions): Promise<number> {
  const plan = readPlan(job.dir);
  const store = storeOf(plan, options.store);
  if (!hasOwnJob(plan, store.name)) return start(job, plan, store, options);
  await assertAlone(job, plan, store);
  const scheduler = lockScheduler(plan.target, options.env);
  if (scheduler !== undefined) await pruneAllowList(job, store.name, scheduler.holds);
  forgetEnd(job, store.name);
  try {
    return await start(job, plan, store, options);
  } catch (error) {
    // Those in other jobs who wait for it need not wait in vain.
    announceEnd(job, store.name, error instanceof Error ? error.message : String(error));
    throw error;
  }
}

async function start(job: JobEnvironment, plan: Plan, store: Store, options: UpOptions): Promise<number> {
  assertRunnable(store);
  await assertForStore(job, plan, store, options);
  const onnxRuntime = lookForOnnxRuntime(plan, job.dir, options.bundle, options.env);
  if (job.fresh) forget(job, store);
  // Its own nodes look for each other before anybody launches anything.
  if (store.kind === 'standalone' && store.shards > 1) {
    await allowHosts(job, plan, [store], { areTelling: jobOf(plan, job.job).allow !== undefined });
  }
  const supervisor = await startSupervisor(job, [process.execPath, options.bundle]);
  try {
    await withinSeconds(job.upTimeoutSeconds, store.name, () =>
      supervisor.request({
        op: 'start',
        store: store.name,
        launch: withResources(job, plan, store, options.launch),
        ...(onnxRuntime === undefined ? {} : { onnxRuntime }),
        python: pythonOf(plan),
        env: Object.fromEntries(Object.entries(options.env).flatMap(([name, value = '']) => [[name, value]])),
      }),
    );
  } finally {
    // Closing tells the supervisor to end a store that is still on its way.
    supervisor.close();
  }
  return 0;
}

/** The words that start a store, with the file that they name written for the hosts of its group. */
function withResources(job: JobEnvironment, plan: Plan, store: Store, launch: readonly string[]): string[] {
  const place = launcherOfProgram(launch[0])?.resources?.place;
  if (store.resources === undefined || place === undefined) return [...launch];
  const { text, threadsPerCore } = store.resources;
  const hosts = hostPositions(job, jobOf(plan, job.job), store.group).flatMap((position) => job.hosts[position] ?? []);
  const path = join(storeJobFolder(job, store.name), 'resources');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, place(text, { hosts }, threadsPerCore));
  return launch.map((word) => word.replace('{resources}', () => path));
}

/** Moves aside what earlier runs left of a store, so that it begins empty. */
function forget(job: JobEnvironment, store: Store): void {
  const folder = storeJobFolder(job, store.name);
  const saved = savedFolder(job, store.name);
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => isCheckpoint(name) || isRecord(name)) : [];
  const left = [...files.map((name) => join(folder, name)), ...(existsSync(saved) ? [saved] : [])];
  if (left.length === 0) return;
  const gathered = join(folder, `.fresh-${process.pid}`);
  mkdirSync(gathered, { mode: 0o700 });
  for (const path of left) renameSync(path, join(gathered, basename(path)));
  const member = job.arrayIndex === undefined ? 'store' : `store-${job.arrayIndex}`;
  moveAside(job.dir, gathered, { entity: store.name, member, why: 'run afresh' });
}

async function withinSeconds(seconds: number, store: string, start: () => Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new WorkflowError({
          code: 'RUN1004',
          message: `store '${store}' did not answer within ${seconds} s`,
          hint: `its log is run/stores/${store}/; SIMWRIGHT_UP_TIMEOUT sets the seconds`,
        }),
      );
    }, seconds * 1000);
  });
  try {
    await Promise.race([start(), late]);
  } finally {
    clearTimeout(timer);
  }
}
