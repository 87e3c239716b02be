import { type Entity, memberDigest, type Plan } from '../../ir/index.js';
import { MemberSelection } from '../job/member-selection.js';
import type { EntityStatus } from './entity-status.js';
import type { LaunchEvent, MemberEvent } from './status-event.js';

/** Members of an entity by state; `pending` have not begun. */
export interface EntitySummary {
  readonly name: string;
  readonly total: number;
  readonly pending: number;
  readonly running: number;
  readonly completed: number;
  readonly failed: number;
  readonly interrupted: number;
  /** Why the entity was not launched, if it was not. */
  readonly skipped: string | undefined;
}

/** Events that say nothing of the run that is looked at: of members that are to run again in it, and of launches of earlier ones. */
export interface PastEvents {
  readonly isPastMember?: (event: MemberEvent, status: EntityStatus) => boolean;
  readonly isPastLaunch?: (event: LaunchEvent) => boolean;
}

/**
 * Counts an entity's members by state, or those that a run is limited to. A member that does something else since, or runs again all the same,
 * is `pending`.
 */
export function summarize(
  plan: Plan,
  entity: Entity,
  status: EntityStatus,
  chosen = MemberSelection.all,
  { isPastMember = () => false, isPastLaunch = () => false }: PastEvents = {},
): EntitySummary {
  const total = chosen.count(entity);
  const counts = { running: 0, completed: 0, failed: 0, interrupted: 0 };
  for (const event of status.members.values()) {
    if (event.index >= entity.members.count || event.digest !== memberDigest(plan, entity, event.index)) continue;
    if (!chosen.has(entity.name, event.index) || isPastMember(event, status)) continue;
    // Staged, and waiting for something that is said: not begun.
    if (event.state === 'staged' && event.reason !== undefined) continue;
    counts[event.state === 'staged' ? 'running' : event.state]++;
  }
  const begun = counts.running + counts.completed + counts.failed + counts.interrupted;
  const last = [...status.launches.values()]
    .filter((one) => !isPastLaunch(one))
    .sort((a, b) => (a.time < b.time ? -1 : 1))
    .at(-1);
  return {
    name: entity.name,
    total,
    pending: total - begun,
    ...counts,
    skipped: last?.launch === 'skipped' ? (last.reason ?? '') : undefined,
  };
}
