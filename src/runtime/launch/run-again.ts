import { setTimeout as sleep } from 'node:timers/promises';
import { type Entity, memberName } from '../../ir/index.js';
import type { StatusWriter } from '../status/index.js';
import type { Restarts } from './restarts.js';
import type { MembersOutcome } from './run-members.js';
import type { Settled } from './settle.js';
import type { StopRequest } from './stop-request.js';

/** Milliseconds between two looks at whether a store was started again. */
const pauseMs = 500;

/** Number of times that members run again for one restart, before their readers are left to the next job. */
const mostRounds = 3;

/** A launch whose members have run once. */
export interface AgainInput {
  readonly entity: Entity;
  readonly restarts: Restarts;
  readonly writer: StatusWriter;
  readonly stop: StopRequest;
  /** Waits for what the entity is `.after`, as at first. */
  readonly wait: () => Promise<void>;
  /** Decides what runs again. */
  readonly settle: () => Promise<Settled>;
  readonly run: (settled: Settled, indices: readonly number[]) => Promise<MembersOutcome>;
}

/**
 * Runs members again that have read what a store had lost, and, while others of this job read what they have written, those whose data a
 * store has lost that was started again.
 */
export async function runAgain(input: AgainInput, first: MembersOutcome): Promise<MembersOutcome> {
  const { entity, restarts, writer, stop, wait, settle, run } = input;
  const states = new Map(first.states);
  const again = () => [...states].flatMap(([index, state]) => (state === 'staged' ? [index] : []));
  let { exit } = first;
  /** Restarts that have been dealt with, and how often it was tried. */
  let dealtWith = 0;
  let rounds = 0;
  try {
    while (stop.reason === undefined && rounds < mostRounds) {
      // In this order: whoever has ended because of a restart is seen with it.
      const isRead = restarts.isRead();
      const count = restarts.count();
      const left = again();
      if (left.length === 0 && count === dealtWith && !isRead) break;
      if ((left.length === 0 && count === dealtWith) || restarts.isHappening()) {
        await sleep(pauseMs);
        continue;
      }
      await wait();
      if (stop.reason !== undefined) break;
      const settled = await settle();
      const indices = settled.toRun.filter(
        (index) => left.includes(index) || settled.decisionOf(index).reason?.kind === 'lost',
      );
      const outcome = await run(settled, indices);
      for (const [index, state] of outcome.states) states.set(index, state);
      exit = Math.max(exit, outcome.exit);
      rounds = indices.length === 0 ? 0 : rounds + 1;
      if (indices.length === 0) dealtWith = count;
    }
  } finally {
    for (const index of again()) {
      const reason = 'a store was started again, and no longer has what it read';
      writer.member({ index, member: memberName(entity, index), state: 'interrupted', exit: 1, reason });
      states.set(index, 'interrupted');
      exit = Math.max(exit, 1);
    }
  }
  return { states, exit };
}
