import type { Entity, Event } from '../../ir/index.js';
import type { EntityStatus } from './entity-status.js';
import { isEnd, type LaunchEvent, type MemberEvent } from './status-event.js';
import type { Counts } from './this-run.js';

/** State of an awaited event: it has come, may come, or cannot come any more, with the reason. */
export type EventState = 'met' | 'pending' | { readonly impossible: string };

/** An awaited event, and which status events tell about this run. */
export interface Awaited {
  readonly entity: Pick<Entity, 'kind' | 'name' | 'members'>;
  readonly event: Event;
  /** One member of an ensemble; otherwise all of them. */
  readonly member: number | undefined;
  /** How often the entity is launched in that run: once, or once an element of a job array or a member. */
  readonly launches: number;
  /** Which events tell about this run, as things stand. */
  readonly counts: () => Counts;
  /** True if the process of a launch is known to be gone. */
  readonly isGone: (launch: LaunchEvent) => boolean;
  /** Why no launch of it will say anything more, whatever they have said; `undefined` while one may. */
  readonly over?: (() => string | undefined) | undefined;
}

/**
 * Judges an `.after()`: `started` when a member has started, `completed` when all have succeeded, `ended` when all have ended,
 * `failed` when all have ended and one has not succeeded. An entity that was skipped has ended and has not failed.
 */
export function judgeEvent(status: EntityStatus, awaited: Awaited): EventState {
  const counts = awaited.counts();
  const total = awaited.member === undefined ? awaited.entity.members.count : 1;
  const events = [...status.members.values()].filter(
    (event) => counts(event) && (awaited.member === undefined || event.index === awaited.member),
  );
  const ended = events.filter((event) => isEnd(event.state));
  const unsuccessful = ended.filter((event) => event.state !== 'completed');
  const launches = [...status.launches.values()].filter(counts);
  const skipped = launches.find((launch) => launch.launch === 'skipped');
  const allEnded = ended.length >= total;
  const { name } = awaited.entity;

  if (awaited.event === 'started' && events.some((event) => event.state !== 'staged')) return 'met';
  if (awaited.event === 'completed' && unsuccessful[0] !== undefined) return { impossible: describe(unsuccessful[0]) };
  if (allEnded) {
    if (awaited.event === 'failed' && unsuccessful.length === 0) return { impossible: `${name} completed` };
    return 'met';
  }
  const isSkipped = { impossible: `${name} was skipped: ${skipped?.reason ?? ''}` };
  if (awaited.event === 'completed' && skipped !== undefined) return isSkipped;
  // Further launches may be on their way.
  const isOpen = launches.length < awaited.launches || !launches.every((one) => isOver(one) || awaited.isGone(one));
  const over = isOpen ? awaited.over?.() : undefined;
  if (isOpen && over === undefined) return 'pending';
  if (awaited.event === 'ended') return 'met';
  if (awaited.event === 'failed' && unsuccessful.length > 0) return 'met';
  if (skipped !== undefined) return isSkipped;
  return { impossible: over ?? `the launch of ${name} has ended before its members` };
}

/** True if a launch has ended. */
export function isOver({ launch }: LaunchEvent): boolean {
  return launch === 'ended' || launch === 'skipped';
}

function describe(event: MemberEvent): string {
  if (event.state === 'interrupted') return `${event.member} was interrupted`;
  if (event.signal !== undefined) return `${event.member} was ended by ${event.signal}`;
  return event.exit === undefined ? `${event.member} failed` : `${event.member} failed with exit code ${event.exit}`;
}
