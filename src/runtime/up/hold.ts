import type { Entity } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { readPlan, storeOf } from '../job/read-plan.js';
import { exitCodeOfStop, type StopReason, StopRequest } from '../launch/stop-request.js';
import { stopWithJob } from '../launch/stop-with-job.js';
import { untilUsersEnd } from '../launch/users-end.js';
import { readAddress } from '../store-files/address-file.js';
import { watchStores } from '../supervisor/watch-stores.js';
import { ConnectionWatch } from './connection-watch.js';

/**
 * Waits until all that use a store with a job of its own have ended, or its job has to. Returns 0, or as a launch does that ends early;
 * throws RUN1005 when the store dies.
 */
export async function hold(job: JobEnvironment, name: string): Promise<number> {
  const plan = readPlan(job.dir);
  storeOf(plan, name);
  const users = plan.entities.filter(({ stores }) => stores.includes(name));
  const stop = new StopRequest();
  const endWatch = stopWithJob(job, plan, stop);
  const supervisor = await watchStores(job, [name], (problem) => stop.request({ kind: 'store', problem }));
  try {
    const connections = new ConnectionWatch(readAddress(job, name)?.nodes[0]?.addresses[0] ?? '');
    const waiting = await untilUsersEnd(job, plan, users, stop, connections).finally(() => connections.close());
    if (stop.reason === undefined) {
      process.stdout.write(`${name}: all that use it have ended\n`);
      return 0;
    }
    return endedEarly(name, waiting, stop.reason);
  } finally {
    endWatch();
    supervisor.close();
  }
}

function endedEarly(store: string, waiting: readonly Entity[], reason: StopReason): number {
  if ('problem' in reason) throw reason.problem;
  const names = waiting.map(({ name }) => name).join(', ');
  const why = reason.kind === 'deadline' ? 'its walltime is about to be over' : 'its job is to end';
  if (waiting.length > 0) process.stderr.write(`simwright: store '${store}' ends before ${names}, since ${why}\n`);
  return exitCodeOfStop(reason);
}
