import type { MemberEvent, StatusEvent } from './status-event.js';
import { isEnd } from './status-event.js';

/** One attempt at a member, from its files being written to its end. */
export interface Attempt {
  /** Last thing that happened in it; of one that was killed with its launch, that it was `staged` or `running`. */
  readonly last: MemberEvent;
  /** Time of its first event. */
  readonly begun: string;
  /** Where its output is; absent of one that ended before it could write. */
  readonly output?: {
    /** Number that the names of its files have; `undefined` of the newest in a directory. */
    readonly number: number | undefined;
    /** False if the directory gave way to a new one since. */
    readonly isHere: boolean;
  };
}

interface Mutable {
  last: MemberEvent;
  readonly begun: string;
  /** When its directory came to its place: later than it began where it was brought back. */
  placed: string;
}

/** Attempts at members, gathered from events in whatever order their files are read. */
export class AttemptTable {
  /** By entity and index. */
  readonly #attempts = new Map<string, Mutable[]>();

  /** Takes a file's next event. */
  add(event: StatusEvent): void {
    if (!('state' in event)) return;
    const key = keyOf(event.entity, event.index);
    const attempts = this.#attempts.get(key) ?? [];
    if (attempts.length === 0) this.#attempts.set(key, attempts);
    const own = attempts.findLast(({ last }) => last.jobId === event.jobId && last.attempt === event.attempt);
    // A member that failed before it was staged has only that event, and no number.
    // A staged member says so again if it has to wait long for hosts.
    const isNext =
      (event.state === 'staged' && own?.last.state !== 'staged') ||
      (event.attempt === undefined && own !== undefined && isEnd(own.last.state));
    if (own === undefined || isNext) attempts.push({ last: event, begun: event.time, placed: event.time });
    else {
      own.last = event;
      if (event.happened !== undefined) own.placed = event.time;
    }
  }

  /** Attempts at a member, oldest first. */
  of(entity: string, index: number): Attempt[] {
    const attempts = [...(this.#attempts.get(keyOf(entity, index)) ?? [])].sort((a, b) =>
      a.placed < b.placed ? -1 : 1,
    );
    const numbers = attempts.map(({ last }) => last.attempt);
    return attempts.map(({ last, begun }, at) => {
      const { attempt } = last;
      if (attempt === undefined) return { last, begun };
      const later = numbers.slice(at + 1).filter((number) => number !== undefined);
      // Numbers that start from 1 again belong to another directory.
      const isNewest = later[0] === undefined || later[0] <= attempt;
      const isHere = later.every((number) => number > attempt);
      return { last, begun, output: { number: isNewest ? undefined : attempt, isHere } };
    });
  }

  /** Members of an entity that were tried more than once in the directory that they have now, with how often. */
  repeated(entity: string): { readonly index: number; readonly attempts: number }[] {
    return [...this.#attempts.values()].flatMap((attempts) => {
      const [first] = attempts;
      if (first === undefined || first.last.entity !== entity || attempts.length === 1) return [];
      const { index } = first.last;
      const here = this.of(entity, index).filter(({ output }) => output?.isHere !== false);
      return here.length > 1 ? [{ index, attempts: here.length }] : [];
    });
  }
}

function keyOf(entity: string, index: number): string {
  return `${entity}/${index}`;
}
