import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Plan } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { jobFolder, removeJobFolder } from '../job/job-folder.js';
import { launchMarginMs } from '../job/launch-margin.js';
import { controlSocket, launchedFile } from '../job/paths.js';
import { isAlive, type ProcessIdentity } from '../job/process-identity.js';
import { entityOf, jobOf, readPlan } from '../job/read-plan.js';
import { clearClusters } from '../ray/clear-clusters.js';
import { countsFor, MembersFile, StatusReader, StatusWriter } from '../status/index.js';
import { ControlClient } from '../supervisor/control-client.js';
import { saveMsOf } from '../supervisor/save-time.js';
import { clearStores } from './clear-stores.js';
import { jobProcesses } from './job-processes.js';

/**
 * Ends what the job left running on this host (launches, stores, processes that escaped them), removes its sockets, and writes
 * run/members.csv. May be called any number of times.
 */
export async function down(job: JobEnvironment): Promise<number> {
  // A scheduler that ends the job, or a second Ctrl-C, must not end the cleaning up. Nothing of the runtime ends at SIGUSR1.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const) process.on(signal, () => {});
  const launches = jobProcesses(job).filter(({ role }) => role === 'launch');
  await terminate(launches, job.killAfterMs + launchMarginMs);
  await stopSupervisor(job);
  await terminate(
    jobProcesses(job).filter(({ role }) => role === 'supervisor'),
    launchMarginMs,
  );
  const plan = readPlan(job.dir);
  // Stores whose supervisor was killed have been told by their pipes.
  const stores = jobProcesses(job).filter(({ role }) => role === 'store');
  if (stores.length > 0) await ended(stores, await saveMsOf(job, plan));
  await terminate(jobProcesses(job), job.killAfterMs);
  removeJobFolder(job);
  await clearStores(job, plan);
  clearClusters(job, plan);
  rmSync(launchedFile(job), { force: true });
  recordUnlaunched(job, plan);
  MembersFile.clear(job);
  await new MembersFile(job, plan).update();
  return 0;
}

async function stopSupervisor(job: JobEnvironment): Promise<void> {
  const supervisor = await ControlClient.connect(controlSocket(jobFolder(job))).catch(() => undefined);
  if (supervisor === undefined) return;
  try {
    for (const notice of await supervisor.request({ op: 'stop' })) process.stderr.write(`simwright: ${notice}\n`);
  } catch {
    // It has gone, which is what was wanted; what it may have left is looked for afterwards.
  } finally {
    supervisor.close();
  }
}

/** SIGTERM, and SIGKILL to what is still there after a while. */
async function terminate(processes: readonly ProcessIdentity[], patienceMs: number): Promise<void> {
  signalAll(processes, 'SIGTERM');
  signalAll(await ended(processes, patienceMs), 'SIGKILL');
}

/** Waits until processes have ended; returns those that have not after a while. */
async function ended(processes: readonly ProcessIdentity[], patienceMs: number): Promise<readonly ProcessIdentity[]> {
  const end = performance.now() + patienceMs;
  let left = processes;
  let pause = 5;
  while (left.length > 0 && performance.now() < end) {
    await sleep(pause);
    pause = Math.min(pause * 2, 100);
    left = left.filter(isAlive);
  }
  return left;
}

function signalAll(processes: readonly ProcessIdentity[], signal: NodeJS.Signals): void {
  for (const process_ of processes) {
    try {
      if (isAlive(process_)) process.kill(process_.pid, signal);
    } catch {
      // It has just ended.
    }
  }
}

/** Says of what the job has not come to that it does not come, for those in other jobs who wait for it. */
function recordUnlaunched(job: JobEnvironment, plan: Plan): void {
  const reader = new StatusReader(job.dir);
  reader.refresh();
  for (const name of jobOf(plan, job.job).entities) {
    const entity = entityOf(plan, name);
    const status = reader.of(name);
    if ([...status.launches.values()].some(countsFor(job, entity, status))) continue;
    const writer = new StatusWriter(job, plan, entity, undefined);
    try {
      writer.launch({ launch: 'skipped', exit: 1, reason: `job '${job.job}' ended before it was launched` });
    } finally {
      writer.close();
    }
  }
}
