import type { DirectiveEdits } from '../ir/index.js';
import type { Directive, Target } from './target.js';

/** A directive, unless its value is undefined; `true` is the flag alone. `flag` may name a resource: `-l walltime`. */
export function directive(flag: string, value: string | number | true | undefined): readonly Directive[] {
  return value === undefined ? [] : [named(flag, value === true ? '' : value)];
}

/** The facts about a scheduler's options by which directives are edited. */
export type DirectiveOptions = Pick<
  Target,
  'aliases' | 'rivals' | 'formatDirective' | 'splitDirective' | 'joinDirectives' | 'wholeJobFlags'
>;

/**
 * The target's directives with the edits of a site and a user, in this order: drops by flag, replaces by flag, adds at the end. Names of one
 * option count as the same, and an option takes the place of those that may not stand beside it. An empty value is the flag alone. In a
 * heterogeneous job each component is edited; what is of the job as a whole is added to the first only.
 */
export function editDirectives(
  target: DirectiveOptions,
  components: readonly (readonly Directive[])[],
  ...edits: readonly (DirectiveEdits | undefined)[]
): readonly (readonly Directive[])[] {
  return components.map((component, index) => {
    const edited = edits.reduce<readonly Directive[]>(
      (list, edit) => (edit === undefined ? list : editOne(target, list, edit, index === 0)),
      component,
    );
    return target.joinDirectives?.(edited) ?? edited;
  });
}

function editOne(
  target: DirectiveOptions,
  directives: readonly Directive[],
  { drop, set }: DirectiveEdits,
  isFirst: boolean,
): readonly Directive[] {
  const isDropped = (one: Directive) =>
    drop.some((name) => sameOption(target, name, one.flag) || sameOption(target, name, nameOf(one)));
  const kept = directives.filter((one) => !isDropped(one));
  return Object.entries(set)
    .map(([flag, value]) => named(flag, value))
    .flatMap((one) => target.splitDirective?.(one) ?? [one])
    .filter(({ flag }) => isFirst || target.wholeJobFlags?.test(optionName(target, flag)) !== true)
    .reduce<readonly Directive[]>((list, one) => placed(target, list, one), kept);
}

/** The directives with one more, which takes the place of what it stands for. */
function placed(target: DirectiveOptions, directives: readonly Directive[], mine: Directive): readonly Directive[] {
  const rivals = (target.rivals ?? []).filter((line) => line.test(target.formatDirective(mine)));
  const isMeant = (one: Directive) =>
    sameOption(target, nameOf(one), nameOf(mine)) || rivals.some((line) => line.test(target.formatDirective(one)));
  const at = directives.findIndex(isMeant);
  if (at < 0) return [...directives, mine];
  return directives.flatMap((one, index) => (index === at ? [mine] : isMeant(one) ? [] : [one]));
}

/** True if two names are of one option of that scheduler. */
export function sameOption(target: Pick<Target, 'aliases'>, one: string, other: string): boolean {
  return optionName(target, one) === optionName(target, other);
}

/** The first of an option's names. */
export function optionName({ aliases }: Pick<Target, 'aliases'>, name: string): string {
  return aliases.find((names) => names.includes(name))?.[0] ?? name;
}

/** `-l walltime`, or the flag alone. */
function nameOf({ flag, resource }: Directive): string {
  return resource === undefined ? flag : `${flag} ${resource}`;
}

function named(name: string, value: string | number): Directive {
  const [flag = name, resource] = name.split(' ');
  return { flag, ...(resource === undefined ? {} : { resource }), ...(value === '' ? {} : { value }) };
}

/** The directive of a scheduler that has no flags of many resources: what looks like one is a part of the value. */
export function withoutResource({ flag, resource, value }: Directive): readonly Directive[] {
  const all = [resource, value].filter((one) => one !== undefined);
  return [{ flag, ...(all.length === 0 ? {} : { value: resource === undefined ? value : all.join('=') }) }];
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

/** A value that is a whole number. */
export function wholeNumber(value: string | number | undefined): number | undefined {
  return /^\d+$/.test(String(value)) ? Number(value) : undefined;
}
