import type { LaunchEvent, MemberEvent, StatusEvent } from './status-event.js';

/** Status of an entity: the last event of each member, and of each job's launch of it. */
export interface EntityStatus {
  readonly members: ReadonlyMap<number, MemberEvent>;
  /** By job id and process. */
  readonly launches: ReadonlyMap<string, LaunchEvent>;
  /** Time of the first event of each job, by its id. */
  readonly begins: ReadonlyMap<string, string>;
}

interface Events {
  readonly members: Map<number, MemberEvent>;
  readonly launches: Map<string, LaunchEvent>;
  readonly begins: Map<string, string>;
}

const none = (): Events => ({ members: new Map(), launches: new Map(), begins: new Map() });

/** Events of all entities, merged; later ones win, in whatever order they are added. */
export class StatusTable {
  readonly #entities = new Map<string, Events>();

  add(event: StatusEvent): void {
    let entity = this.#entities.get(event.entity);
    if (entity === undefined) {
      entity = none();
      this.#entities.set(event.entity, entity);
    }
    const begin = entity.begins.get(event.jobId);
    if (begin === undefined || event.time < begin) entity.begins.set(event.jobId, event.time);
    if ('launch' in event) put(entity.launches, `${event.jobId}/${event.pid}`, event);
    else put(entity.members, event.index, event);
  }

  /** Status of one entity; empty when nothing has happened to it. */
  of(entity: string): EntityStatus {
    return this.#entities.get(entity) ?? none();
  }
}

function put<Key, Event extends StatusEvent>(events: Map<Key, Event>, key: Key, event: Event): void {
  const before = events.get(key);
  if (before === undefined || before.time <= event.time) events.set(key, event);
}
