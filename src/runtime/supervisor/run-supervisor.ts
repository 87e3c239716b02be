import { writeSync } from 'node:fs';
import type { JobEnvironment } from '../job/job-environment.js';
import { makeJobFolder, removeJobFolderIfEmpty } from '../job/job-folder.js';
import { controlSocket } from '../job/paths.js';
import { readPlan } from '../job/read-plan.js';
import { watchScript } from '../job/watch-script.js';
import { Supervisor } from './supervisor.js';

/** File descriptor on which the supervisor says that it listens. */
export const readyDescriptor = 3;

/** Milliseconds that a launch may need beyond its applications' own. */
const launchMarginMs = 4000;

/**
 * The supervisor process: listens on the control socket, says so on descriptor 3, and lives until it is told to stop, gets a
 * signal, or the job's script has gone.
 */
export async function runSupervisor(job: JobEnvironment, runtime: readonly string[]): Promise<number> {
  const plan = readPlan(job.dir);
  const folder = makeJobFolder(job);
  let finish: () => void = () => {};
  const stopped = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const supervisor = new Supervisor(job, plan, runtime, () => finish());
  await supervisor.listen(controlSocket(folder));
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void supervisor.stop());
  const unwatch = watchScript(job, false, () => {
    console.log('the script of the job has gone: ending its stores');
    // Applications that are being ended may still save to them.
    void supervisor.stopAfterLaunches(job.killAfterMs + launchMarginMs);
  });
  writeSync(readyDescriptor, 'ready\n');
  await stopped;
  unwatch();
  removeJobFolderIfEmpty(job);
  return 0;
}
