import { type Entity, memberName, type Plan } from '../../ir/index.js';
import { type AttemptTable, type EntitySummary, type StatusReader, summarize } from '../../runtime/status/index.js';
import { causesOf, type FailureCause, failuresOf, type Interruption } from '../jobs/entities.js';

/** Outcome of an entity's members, with the causes. */
export interface EntityLog extends EntitySummary {
  readonly job: string;
  readonly causes: readonly FailureCause[];
  readonly interruptions: readonly Interruption[];
  /** Members with more than one attempt. */
  readonly repeated: readonly { readonly name: string; readonly attempts: number }[];
}

/** Collects the outcome of an entity's members. */
export function entityLog(plan: Plan, entity: Entity, reader: StatusReader, attempts: AttemptTable): EntityLog {
  return {
    ...summarize(plan, entity, reader.of(entity.name)),
    job: entity.job,
    causes: causesOf(failuresOf(plan, entity, reader)),
    interruptions: interruptionsOf(entity, reader),
    repeated: attempts
      .repeated(entity.name)
      .filter(({ index }) => index < entity.members.count)
      .map(({ index, attempts: count }) => ({ name: memberName(entity, index), attempts: count })),
  };
}

/** Members that were ended, by the reasons; of the chosen ones. */
export function interruptionsOf(
  entity: Entity,
  reader: StatusReader,
  isChosen: (index: number) => boolean = () => true,
): Interruption[] {
  const byReason = new Map<string, string[]>();
  const events = [...reader.of(entity.name).members.values()].sort((a, b) => a.index - b.index);
  for (const { state, index, reason = 'no reason is known' } of events) {
    if (state !== 'interrupted' || !isChosen(index)) continue;
    const members = byReason.get(reason);
    if (members === undefined) byReason.set(reason, [memberName(entity, index)]);
    else members.push(memberName(entity, index));
  }
  return [...byReason].map(([reason, members]) => ({ reason, members }));
}
