import { type LaunchContext, type MemberOutcome, runMember } from './run-member.js';

/** Outcomes of a launch's members. */
export interface MembersOutcome {
  /** By index; members that a stop request kept from starting have none. */
  readonly states: ReadonlyMap<number, MemberOutcome['state']>;
  /** The highest exit code. */
  readonly exit: number;
}

/** Runs members, `atMost` at a time; one that fails does not stop the others. */
export async function runMembers(
  context: LaunchContext,
  indices: Iterable<number>,
  atMost: number,
): Promise<MembersOutcome> {
  const states = new Map<number, MemberOutcome['state']>();
  let exit = 0;
  const queue = indices[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      if (context.stop.reason !== undefined) continue;
      const outcome = await runMember(context, next.value);
      states.set(next.value, outcome.state);
      exit = Math.max(exit, outcome.exit);
    }
  };
  await Promise.all(Array.from({ length: atMost }, worker));
  return { states, exit };
}

/** Number of members in each state. */
export function countStates({ states }: MembersOutcome): Readonly<Record<MemberOutcome['state'], number>> {
  const counts = { staged: 0, running: 0, completed: 0, failed: 0, interrupted: 0, 'completed-before': 0, held: 0 };
  for (const state of states.values()) counts[state]++;
  return counts;
}
