import { WorkflowError } from '../../diagnostics/index.js';
import { assertForStore } from '../assert/assert-job.js';
import { findOnnxRuntime } from '../assert/find-onnx-runtime.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { readPlan, storeOf } from '../job/read-plan.js';
import { startSupervisor } from '../supervisor/start-supervisor.js';
import { assertRunnable } from './assert-runnable.js';

/** What `up` is told. */
export interface UpOptions {
  readonly store: string;
  /** Words that start one process a node of the store; empty: it runs on this host. */
  readonly launch: readonly string[];
  /** Path of the bundle, absolute. */
  readonly bundle: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Seconds that a store may take, models included. */
const defaultTimeoutSeconds = 600;

/** Starts a store and returns when it answers on every node, its models loaded; a supervisor stays behind. */
export async function up(job: JobEnvironment, options: UpOptions): Promise<number> {
  const plan = readPlan(job.dir);
  const store = storeOf(plan, options.store);
  assertRunnable(plan, store);
  await assertForStore(job, plan, store, options);
  const onnxRuntime =
    store.mlModels.length === 0 ? undefined : findOnnxRuntime(plan, job.dir, options.bundle, options.env);
  const supervisor = await startSupervisor(job, [process.execPath, options.bundle]);
  try {
    await withinSeconds(timeoutOf(options.env), store.name, () =>
      supervisor.request({
        op: 'start',
        store: store.name,
        launch: [...options.launch],
        ...(onnxRuntime === undefined ? {} : { onnxRuntime }),
      }),
    );
  } finally {
    // Closing tells the supervisor to end a store that is still on its way.
    supervisor.close();
  }
  return 0;
}

function timeoutOf(env: NodeJS.ProcessEnv): number {
  const seconds = Number(env['SIMWRIGHT_UP_TIMEOUT']);
  return seconds > 0 ? seconds : defaultTimeoutSeconds;
}

async function withinSeconds(seconds: number, store: string, start: () => Promise<void>): Promise<void> {
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
