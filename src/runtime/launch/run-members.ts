import { type LaunchContext, type MemberOutcome, runMember } from './run-member.js';

/** Outcomes of a launch's members, counted. */
export interface MembersOutcome {
  readonly counts: Readonly<Record<MemberOutcome['state'], number>>;
  /** The highest exit code. */
  readonly exit: number;
  /** Members that a stop request kept from starting. */
  readonly notStarted: number;
}

/** Runs members, `atMost` at a time; one that fails does not stop the others. */
export async function runMembers(
  context: LaunchContext,
  indices: Iterable<number>,
  atMost: number,
): Promise<MembersOutcome> {
  const counts: Record<MemberOutcome['state'], number> = {
    staged: 0,
    running: 0,
    completed: 0,
    failed: 0,
    interrupted: 0,
    'completed-before': 0,
    held: 0,
  };
  let exit = 0;
  let notStarted = 0;
  const queue = indices[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = queue.next(); !next.done; next = queue.next()) {
      if (context.stop.reason !== undefined) {
        notStarted++;
        continue;
      }
      const outcome = await runMember(context, next.value);
      counts[outcome.state]++;
      exit = Math.max(exit, outcome.exit);
    }
  };
  await Promise.all(Array.from({ length: atMost }, worker));
  return { counts, exit, notStarted };
}
