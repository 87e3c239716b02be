import type { Entity, Plan, Store } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { readPlan, storeOf } from '../job/read-plan.js';
import { exitCodeOfStop, type StopReason, StopRequest } from '../launch/stop-request.js';
import { stopWithJob } from '../launch/stop-with-job.js';
import { OtherJobs } from '../scheduler/other-jobs.js';
import { type Counts, entityOutcome, StatusReader } from '../status/index.js';
import { readAddress } from '../store-files/address-file.js';
import { watchStores } from '../supervisor/watch-stores.js';
import { ConnectionWatch } from './connection-watch.js';

/** Milliseconds between two looks at who still uses the store. */
const pauseMs = 500;

/**
 * Waits until all that use a store with a job of its own have ended, or its job has to. Returns 0, or as a launch does that ends early;
 * throws RUN1005 when the store dies.
 */
export async function hold(job: JobEnvironment, name: string): Promise<number> {
  const plan = readPlan(job.dir);
  const store = storeOf(plan, name);
  const users = plan.entities.filter(({ stores }) => stores.includes(name));
  const stop = new StopRequest();
  const endWatch = stopWithJob(job, plan, stop);
  const supervisor = await watchStores(job, [name], (problem) => stop.request({ kind: 'store', problem }));
  try {
    const waiting = await untilUsersEnd(job, plan, store, users, stop);
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

/** Looks every so often; returns the users that had not ended at the last look. */
async function untilUsersEnd(
  job: JobEnvironment,
  plan: Plan,
  { name }: Store,
  users: readonly Entity[],
  stop: StopRequest,
): Promise<Entity[]> {
  const reader = new StatusReader(job.dir);
  const others = new OtherJobs(job, plan);
  const connections = new ConnectionWatch(readAddress(job, name)?.nodes[0]?.addresses[0] ?? '');
  try {
    for (;;) {
      await others.refresh(users.map((user) => user.job));
      // Who is connected is asked first: a launch writes its last line before it lets go.
      await connections.refresh();
      reader.refresh();
      const facts = {
        plan,
        statusOf: (entity: string) => reader.of(entity),
        countsFor: () => since(job),
        isGone: connections.isGone,
        isJobOver: (one: string) => others.endOf(one) !== undefined,
      };
      const waiting = users.filter((user) => entityOutcome(facts, user) === 'pending');
      if (waiting.length === 0 || stop.reason !== undefined) return waiting;
      await pauseUnlessStopped(stop);
    }
  } finally {
    connections.close();
  }
}

/** Events that count: those of the same submission, and all since this job began. */
function since(job: JobEnvironment): Counts {
  const start = new Date(job.startedSeconds * 1000).toISOString();
  return ({ run, time }) => (job.run !== undefined && run === job.run) || time >= start;
}

function endedEarly(store: string, waiting: readonly Entity[], reason: StopReason): number {
  if (reason.kind === 'store') throw reason.problem;
  const names = waiting.map(({ name }) => name).join(', ');
  const why = reason.kind === 'deadline' ? 'its walltime is about to be over' : 'its job is to end';
  if (waiting.length > 0) process.stderr.write(`simwright: store '${store}' ends before ${names}, since ${why}\n`);
  return exitCodeOfStop(reason);
}

function pauseUnlessStopped(stop: StopRequest): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, pauseMs);
    const withdraw = stop.onRequest(() => {
      clearTimeout(timer);
      resolve();
    });
    setTimeout(withdraw, pauseMs).unref();
  });
}
