import type { Entity, Plan } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import type { LockTaker } from '../job/member-lock.js';
import { MemberSelection } from '../job/member-selection.js';
import { arrange, type Decision, Rerun, writeRecord } from '../rerun/index.js';
import type { StatusReader, StatusWriter } from '../status/index.js';
import type { StopRequest } from './stop-request.js';
import { runningStore } from './store-addresses.js';

/** A launch that is about to start its members. */
export interface SettleInput {
  readonly job: JobEnvironment;
  readonly plan: Plan;
  readonly entity: Entity;
  readonly reader: StatusReader;
  readonly writer: StatusWriter;
  readonly taker: LockTaker;
  readonly stop: StopRequest;
}

/** Which of a launch's members run. */
export interface Settled {
  readonly decisionOf: (index: number) => Decision;
  readonly toRun: readonly number[];
  /** How many of the others have completed. */
  readonly done: number;
}

/** Decides what runs again, says so, and puts the entity's directories in order. */
export async function settle(input: SettleInput, indices: readonly number[]): Promise<Settled> {
  const { job, plan, entity, reader, writer, taker, stop } = input;
  const look = (): Rerun => {
    reader.refresh();
    return new Rerun({
      dir: job.dir,
      plan,
      statusOf: (name) => reader.of(name),
      chosen: job.members ?? MemberSelection.all,
      fresh: job.fresh,
      keep: job.keep,
      hasOutcomes: true,
      isOurs: ({ jobId }) => jobId === job.jobId,
      runningStore: (store) => runningStore(job, plan, entity, store),
    });
  };
  const own = new Set(indices);
  const before = look();
  // Of the first run there is nothing to say.
  const line = reader.of(entity.name).members.size > 0 ? before.lineOf(entity, (index) => own.has(index)) : undefined;
  if (
    line !== undefined &&
    before.of(entity).members.some(({ index, reason }) => own.has(index) && reason !== undefined)
  )
    process.stdout.write(`${line}\n`);
  let rerun = before;
  const decisions = await arrange({
    job,
    entity,
    taker,
    decide: () => {
      rerun = look();
      return rerun.of(entity);
    },
    eventsOf: () => reader.of(entity.name).members,
    record: (events) => writer.earlier(events),
    isStopped: () => stop.reason !== undefined,
  });
  const mine = decisions.members.filter(({ index }) => own.has(index));
  const done = mine.filter(({ reason }) => reason === undefined);
  const recipe = writeRecord(job.dir, rerun.recordOf(entity));
  writer.begin(
    recipe,
    done.map(({ index }) => index),
  );
  writer.accept(done.flatMap(({ kept, event }) => (kept && event !== undefined ? [event] : [])));
  return {
    decisionOf: (index) => decisions.members[index] ?? { index, reason: { kind: 'new' }, anew: true },
    toRun: mine.filter(({ reason }) => reason !== undefined).map(({ index }) => index),
    done: done.length,
  };
}
