import type { Site } from '../ir/index.js';
import type { Directive } from './target.js';

/** A directive, unless its value is undefined. */
export function directive(flag: string, value: string | number | undefined): readonly Directive[] {
  return value === undefined ? [] : [{ flag, value }];
}

/** The site's say over the target's directives: drops by flag, replaces by flag, adds at the end. An empty value is the flag alone. */
export function editDirectives(directives: readonly Directive[], site: Site): readonly Directive[] {
  const { drop, set } = site.directives;
  const changed = (flag: string, value: string | number): Directive => (value === '' ? { flag } : { flag, value });
  const kept = directives
    .filter(({ flag }) => !drop.includes(flag))
    .map((one) => {
      const value = set[one.flag];
      return value === undefined ? one : changed(one.flag, value);
    });
  const added = Object.entries(set).filter(([flag]) => !kept.some((one) => one.flag === flag));
  return [...kept, ...added.map(([flag, value]) => changed(flag, value))];
}
