import { existsSync } from 'node:fs';
import type { Entity, Plan } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { isHeldFor, type LockTaker } from '../job/member-lock.js';
import { MemberSelection } from '../job/member-selection.js';
import { memberPath } from '../job/paths.js';
import { arrange, type Decision, FirstRunMark, Rerun, writeRecord } from '../rerun/index.js';
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
}

/** Decides what runs again, says so, and puts the entity's directories in order. */
export async function settle(input: SettleInput, indices: readonly number[]): Promise<Settled> {
  const { job, entity, reader, writer } = input;
  writer.follow((index) => reader.of(entity.name).members.get(index)?.time);
  const mark = new FirstRunMark(job, input.plan, entity);
  const known = mark.recipe();
  if (known !== undefined && !indices.some((index) => existsSync(memberPath(job.dir, entity, index)))) {
    writer.begin(known, []);
    return { decisionOf: (index) => ({ index, reason: { kind: 'new' }, anew: true }), toRun: indices };
  }
  const own = new Set(indices);
  const held = await heldByOthers(input, indices);
  let rerun = look(input, held);
  announce(input, rerun, own);
  const decisions = await arrange(
    {
      job,
      entity,
      taker: input.taker,
      decide: () => {
        rerun = look(input, held);
        return rerun.of(entity);
      },
      eventsOf: () => reader.of(entity.name).members,
      record: (events) => writer.earlier(events),
      isStopped: () => input.stop.reason !== undefined,
    },
    rerun.of(entity),
  );
  const mine = decisions.members.filter(({ index }) => own.has(index));
  const done = mine.filter(({ reason }) => reason === undefined);
  const recipe = writeRecord(job.dir, rerun.recordOf(entity));
  writer.begin(
    recipe,
    done.map(({ index }) => index),
  );
  writer.accept(done.flatMap(({ kept, event }) => (kept && event !== undefined ? [event] : [])));
  if (indices.length < entity.members.count) mark.set(reader.of(entity.name).members.values());
  return {
    decisionOf: (index) => decisions.members[index] ?? { index, reason: { kind: 'new' }, anew: true },
    toRun: mine.filter(({ reason }) => reason !== undefined).map(({ index }) => index),
  };
}

/** Members that other jobs run now, as far as their locks tell. */
async function heldByOthers(
  { job, entity, reader, taker }: SettleInput,
  indices: readonly number[],
): Promise<Set<number>> {
  reader.refresh();
  const { members } = reader.of(entity.name);
  const held = new Set<number>();
  for (const index of indices) {
    const state = members.get(index)?.state;
    if (state !== 'staged' && state !== 'running') continue;
    if (await isHeldFor(memberPath(job.dir, entity, index), taker)) held.add(index);
  }
  return held;
}

/** Looks at the present results and decides what runs again. */
function look({ job, plan, entity, reader }: SettleInput, held: ReadonlySet<number>): Rerun {
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
    isRunning: ({ name }, { index }) => name === entity.name && held.has(index),
    runningStore: (store) => runningStore(job, plan, entity, store),
  });
}

/** Says what runs again; of the first run there is nothing to say, nor of one in which nothing runs. */
function announce({ entity, reader }: SettleInput, rerun: Rerun, own: ReadonlySet<number>): void {
  if (reader.of(entity.name).members.size === 0) return;
  const isNews = ({ reason, kept, back }: Decision) => reason !== undefined || kept !== undefined || back !== undefined;
  if (!rerun.of(entity).members.some((one) => own.has(one.index) && isNews(one))) return;
  process.stdout.write(`${rerun.lineOf(entity, (index) => own.has(index))}\n`);
}
