import type { DirectiveEdits } from '../ir/index.js';
import type { Directive, Target } from './target.js';

/** A directive, unless its value is undefined; `true` is the flag alone. `flag` may name a resource: `-l walltime`. */
export function directive(flag: string, value: string | number | true | undefined): readonly Directive[] {
  return value === undefined ? [] : [named(flag, value === true ? '' : value)];
}

/**
 * The target's directives with the edits of a site and a user, in this order: drops by flag, replaces by flag, adds at the end. An empty
 * value is the flag alone. In a heterogeneous job each component is edited; job as a whole is added to the first only.
 */
export function editDirectives(
  { wholeJobFlags }: Pick<Target, 'wholeJobFlags'>,
  components: readonly (readonly Directive[])[],
  ...edits: readonly (DirectiveEdits | undefined)[]
): readonly (readonly Directive[])[] {
  return edits.reduce<readonly (readonly Directive[])[]>(
    (lists, edit) =>
      edit === undefined
        ? lists
        : lists.map((list, index) => editOne(list, edit, index === 0 ? undefined : wholeJobFlags)),
    components,
  );
}

function editOne(directives: readonly Directive[], { drop, set }: DirectiveEdits, elsewhere: RegExp | undefined) {
  const kept = directives
    .filter((one) => !drop.includes(one.flag) && !drop.includes(nameOf(one)))
    .map((one) => {
      const value = set[nameOf(one)];
      return value === undefined ? one : named(nameOf(one), value);
    });
  const added = Object.entries(set).filter(
    ([flag]) => !kept.some((one) => nameOf(one) === flag) && elsewhere?.test(flag) !== true,
  );
  return [...kept, ...added.map(([flag, value]) => named(flag, value))];
}

/** `-l walltime`, or the flag alone. */
function nameOf({ flag, resource }: Directive): string {
  return resource === undefined ? flag : `${flag} ${resource}`;
}

function named(name: string, value: string | number): Directive {
  const [flag = name, resource] = name.split(' ');
  return { flag, ...(resource === undefined ? {} : { resource }), ...(value === '' ? {} : { value }) };
}

/** A job's name as every scheduler takes it: letters, digits, `_`, `.` and `-`, a letter first, at most 63. */
export function jobName(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_.-]/g, '_');
  return (/^[A-Za-z]/.test(plain) ? plain : `j${plain}`).slice(0, 63);
}

/** `%3` for three elements at a time, or nothing. */
export function throttle(array: { readonly maxConcurrent?: number | undefined } | undefined): string {
  return array?.maxConcurrent === undefined ? '' : `%${array.maxConcurrent}`;
}
