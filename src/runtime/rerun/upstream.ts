import { type Entity, memberName, type Plan } from '../../ir/index.js';

/** An entity, or one member of it, that another waits for or reads. */
export interface Upstream {
  /** As the plan names it: an entity's name, or a member's. */
  readonly name: string;
  readonly entity: Entity;
  /** Undefined where it is the whole entity. */
  readonly index: number | undefined;
  /** It is waited for until its members have ended, whether they succeed or not. */
  readonly byOutcome: boolean;
}

/** Entities that wait for or read others in a plan. */
export class UpstreamGraph {
  readonly #entities: ReadonlyMap<string, Entity>;
  readonly #upstreams = new Map<string, readonly Upstream[]>();

  constructor(plan: Plan) {
    this.#entities = new Map(plan.entities.map((entity) => [entity.name, entity]));
  }

  /** Entities or members that an entity waits for or reads, without itself, each name once. */
  of(entity: Entity): readonly Upstream[] {
    let upstreams = this.#upstreams.get(entity.name);
    if (upstreams === undefined) {
      // A Ray cluster has no results: those who use it run again for reasons of their own.
      const awaited = entity.after.flatMap(({ name }) => (name === entity.usesRay ? [] : [name]));
      const names = [...new Set([...awaited, ...entity.incoming])];
      upstreams = names.flatMap((name) => this.#named(name, entity) ?? []);
      this.#upstreams.set(entity.name, upstreams);
    }
    return upstreams;
  }

  /**
   * The entities that one depends on, itself the last, in groups: a group comes after those that it depends on, and has several entities where
   * they read each other.
   */
  groupsUpTo(last: Entity): Entity[][] {
    // Tarjan's algorithm without recursion: chains may be long.
    const order = new Map<Entity, number>();
    const low = new Map<Entity, number>();
    const open: Entity[] = [];
    const isOpen = new Set<Entity>();
    const groups: Entity[][] = [];
    const enter = (entity: Entity) => {
      order.set(entity, order.size);
      low.set(entity, order.size - 1);
      open.push(entity);
      isOpen.add(entity);
      return { entity, left: this.of(entity).map((one) => one.entity) };
    };
    const path = [enter(last)];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { entity, left } = top;
      const next = left.pop();
      if (next !== undefined) {
        if (!order.has(next)) path.push(enter(next));
        else if (isOpen.has(next)) low.set(entity, Math.min(low.get(entity) ?? 0, order.get(next) ?? 0));
        continue;
      }
      path.pop();
      const before = path.at(-1)?.entity;
      const own = low.get(entity) ?? 0;
      if (before !== undefined) low.set(before, Math.min(low.get(before) ?? 0, own));
      if (own !== order.get(entity)) continue;
      const group = open.splice(open.indexOf(entity));
      for (const one of group) isOpen.delete(one);
      groups.push(group);
    }
    return groups;
  }

  #named(name: string, from: Entity): Upstream | undefined {
    const byOutcome = from.after.some(
      (after) => after.name === name && 'event' in after && (after.event === 'ended' || after.event === 'failed'),
    );
    const whole = this.#entities.get(name);
    if (whole !== undefined) return whole === from ? undefined : { name, entity: whole, index: undefined, byOutcome };
    const [, ensemble = '', digits = ''] = /^(.+)_(\d+)$/.exec(name) ?? [];
    const entity = this.#entities.get(ensemble);
    if (entity === undefined || entity === from || memberName(entity, Number(digits)) !== name) return undefined;
    return { name, entity, index: Number(digits), byOutcome };
  }
}
