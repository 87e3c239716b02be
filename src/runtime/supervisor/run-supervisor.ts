import { writeSync } from 'node:fs';
import type { JobEnvironment } from '../job/job-environment.js';
import { makeJobFolder, removeUnusedJobFolder } from '../job/job-folder.js';
import { launchMarginMs } from '../job/launch-margin.js';
import { controlSocket } from '../job/paths.js';
import { readPlan } from '../job/read-plan.js';
import { watchScript } from '../job/watch-script.js';
import { Supervisor } from './supervisor.js';

/** File descriptor on which the supervisor says that it listens. */
export const readyDescriptor = 3;

/** Milliseconds in which somebody has to ask for a store. */
const idleMs = 5000;

/**
 * The supervisor process: listens on the control socket, says so on descriptor 3, and lives until it is told to stop, gets a
 * signal, or the job's script has gone.
 */
export async function runSupervisor(job: JobEnvironment, runtime: readonly string[]): Promise<number> {
  const plan = readPlan(job.dir);
  let finish: () => void = () => {};
  const stopped = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const supervisor = new Supervisor(job, plan, runtime, () => finish());
  // Applications that are being ended may still save to the stores.
  const stopAfterLaunches = () => void supervisor.stopAfterLaunches(job.killAfterMs + launchMarginMs);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const) process.on(signal, stopAfterLaunches);
  await supervisor.listen(controlSocket(makeJobFolder(job)));
  const unwatch = watchScript(job, false, () => {
    console.log('the script of the job has gone: ending its stores');
    stopAfterLaunches();
  });
  try {
    writeSync(readyDescriptor, 'ready\n');
  } catch {
    // The `up` that wanted a supervisor has gone.
    void supervisor.stop();
  }
  const idle = setTimeout(() => supervisor.stopIfIdle(), idleMs);
  await stopped;
  clearTimeout(idle);
  unwatch();
  removeUnusedJobFolder(job);
  return 0;
}
