import { type Entity, type IndexRange, parseIndexRange } from '../../ir/index.js';

/** The members that a run is limited to, so that a part of a large workflow can be tried: `sweep:0,2-3 other:1`. */
export class MemberSelection {
  readonly #ranges: ReadonlyMap<string, readonly IndexRange[]>;

  private constructor(
    ranges: ReadonlyMap<string, readonly IndexRange[]>,
    readonly text: string,
  ) {
    this.#ranges = ranges;
  }

  /** Every member of every entity. */
  static readonly all = new MemberSelection(new Map(), '');

  /** Reads the value of `SIMWRIGHT_MEMBERS`; `undefined` for one that is malformed. */
  static parse(text: string | undefined): MemberSelection | undefined {
    const parts = (text ?? '').split(' ').filter((part) => part !== '');
    const ranges = new Map<string, readonly IndexRange[]>();
    for (const part of parts) {
      const [name, list, more] = part.split(':');
      const own = list?.split(',').map(parseIndexRange) ?? [];
      if (!name || more !== undefined || own.length === 0) return undefined;
      if (!own.every((range) => range !== undefined)) return undefined;
      ranges.set(name, own);
    }
    return new MemberSelection(ranges, parts.join(' '));
  }

  /** True if a member is to run. Entities that are not named run as a whole. */
  has(entity: string, index: number): boolean {
    const ranges = this.#ranges.get(entity);
    return ranges === undefined || ranges.some(({ first, last }) => first <= index && index <= last);
  }

  /** Number of members of an entity that are to run. */
  count({ name, members }: Pick<Entity, 'name' | 'members'>): number {
    if (!this.#ranges.has(name)) return members.count;
    let count = 0;
    for (let index = 0; index < members.count; index++) if (this.has(name, index)) count++;
    return count;
  }
}
