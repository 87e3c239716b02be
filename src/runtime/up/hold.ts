import { WorkflowError } from '../../diagnostics/index.js';
import type { Entity, Plan, Store } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { jobFolder } from '../job/job-folder.js';
import { controlSocket } from '../job/paths.js';
import { readPlan, storeOf } from '../job/read-plan.js';
import { watchScript } from '../job/watch-script.js';
import { watchDeadline } from '../launch/deadline.js';
import { exitCodeOfStop, type StopReason, StopRequest } from '../launch/stop-request.js';
import { OtherJobs } from '../scheduler/other-jobs.js';
import { type Counts, entityOutcome, StatusReader } from '../status/index.js';
import { readAddress } from '../supervisor/address-file.js';
import { ControlClient } from '../supervisor/control-client.js';
import { Presence } from './presence.js';

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
  const ends = [
    passSignals(stop),
    watchScript(job, true, () => stop.request({ kind: 'script-gone' })),
    watchDeadline(job, plan, () => stop.request({ kind: 'deadline' })),
  ];
  const supervisor = await watchStore(job, name, stop);
  try {
    const waiting = await untilUsersEnd(job, plan, store, users, stop);
    if (stop.reason === undefined) {
      process.stdout.write(`${name}: all that use it have ended\n`);
      return 0;
    }
    return endedEarly(name, waiting, stop.reason);
  } finally {
    for (const end of ends) end();
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
  const presence = new Presence(readAddress(job, name)?.nodes[0]?.addresses[0] ?? '');
  try {
    for (;;) {
      await others.refresh(users.map((user) => user.job));
      // Who is connected is asked first: a launch writes its last line before it lets go.
      await presence.refresh();
      reader.refresh();
      const facts = {
        plan,
        statusOf: (entity: string) => reader.of(entity),
        countsFor: () => since(job),
        isGone: presence.isGone,
        isJobOver: (one: string) => others.endOf(one) !== undefined,
      };
      const waiting = users.filter((user) => entityOutcome(facts, user) === 'pending');
      if (waiting.length === 0 || stop.reason !== undefined) return waiting;
      await pauseUnlessStopped(stop);
    }
  } finally {
    presence.close();
  }
}

/** What counts: the jobs of the same submission, and what was done, by whomever, since this job began. */
function since(job: JobEnvironment): Counts {
  const start = new Date(job.startedSeconds * 1000).toISOString();
  return ({ run, time }) => (job.run !== undefined && run === job.run) || time >= start;
}

async function watchStore(job: JobEnvironment, store: string, stop: StopRequest): Promise<ControlClient> {
  const supervisor = await ControlClient.connect(controlSocket(jobFolder(job)));
  if (supervisor === undefined) {
    throw new WorkflowError({
      code: 'RUN1005',
      message: `store '${store}' is not running: its supervisor has gone`,
      hint: 'run/status/ has its log',
    });
  }
  await supervisor.watch([store], (problem) => stop.request({ kind: 'store', problem }));
  return supervisor;
}

function endedEarly(store: string, waiting: readonly Entity[], reason: StopReason): number {
  if (reason.kind === 'store') throw reason.problem;
  const names = waiting.map(({ name }) => name).join(', ');
  const why = reason.kind === 'deadline' ? 'its walltime is about to be over' : 'its job is to end';
  if (waiting.length > 0) process.stderr.write(`simwright: store '${store}' ends before ${names}, since ${why}\n`);
  return exitCodeOfStop(reason);
}

function passSignals(stop: StopRequest): () => void {
  const handlers = (['SIGTERM', 'SIGINT', 'SIGHUP'] as const).map(
    (signal) => [signal, () => stop.request({ kind: 'signal', signal })] as const,
  );
  // The script passes it on to all that it has launched; here it has no meaning.
  const ignore = () => {};
  process.on('SIGUSR1', ignore);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return () => {
    process.off('SIGUSR1', ignore);
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
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
