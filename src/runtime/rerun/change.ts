import { formatValue, type Params, type Recipe } from '../../ir/index.js';

/** A part of what a member does that is another than it was. */
export interface Change {
  /** `KAPPA`, `solver.py`, `OMP_NUM_THREADS`, `the command line`, … */
  readonly what: string;
  /** Text before and after, where both are fit to be shown; undefined for what was not there. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Longest text that is shown of a value. */
const longestShown = 40;

/** `KAPPA 0.5 → 0.6`; the name alone where the texts are not known or too long. */
export function describeChange({ what, from, to }: Change): string {
  const shown = [from, to].every((text) => text === undefined || (text.length <= longestShown && isPlain(text)));
  if ((from === undefined && to === undefined) || !shown) return what;
  if (from === undefined) return `${what} ${to} is new`;
  return to === undefined ? `${what} is gone` : `${what} ${from} → ${to}`;
}

/** Differences of parameters, in the order of the present ones. */
export function paramChanges(before: Params, now: Params): Change[] {
  const names = [...new Set([...Object.keys(now), ...Object.keys(before)])];
  return names.flatMap((what): Change[] => {
    const [from, to] = [before[what], now[what]];
    if (from === to) return [];
    return [{ what, from: textOf(from), to: textOf(to) }];
  });
}

/** Differences of recipes. */
export function recipeChanges(before: Recipe, now: Recipe): Change[] {
  const parts = [...new Set([...Object.keys(now), ...Object.keys(before)])];
  return parts.flatMap((part) => (before[part] === now[part] ? [] : partChanges(part, before[part], now[part])));
}

function partChanges(part: string, before: string | undefined, now: string | undefined): Change[] {
  const [kind = '', ...rest] = part.split(' ');
  const name = rest.join(' ');
  switch (kind) {
    case 'command':
      return [commandChange(before, now)];
    case 'variable':
      return isHash(before) || isHash(now) ? [{ what: name }] : [{ what: name, from: before, to: now }];
    case 'file':
      return [{ what: name, ...addedOrGone(before, now) }];
    case 'model':
      return [{ what: `model '${name}'` }];
    case 'script':
      return [{ what: `script '${name}'` }];
    case 'setup':
      return [{ what: 'its setup' }];
    case 'prefixing':
      return [{ what: 'key prefixing' }];
    default:
      return [{ what: 'its arguments' }];
  }
}

/** The words that differ, where there is one program and as many words as before. */
function commandChange(before: string | undefined, now: string | undefined): Change {
  const what = 'the command line';
  const [[old, ...others], [current, ...more]] = [programs(before), programs(now)];
  if (old === undefined || current === undefined || others.length + more.length > 0) return { what };
  if (old.length !== current.length) return { what };
  const places = old.flatMap((word, place) => (word === current[place] ? [] : [place]));
  const [place] = places;
  if (places.length !== 1 || place === undefined) return { what };
  // The first is how many tasks there are.
  const [from, to] = [old[place], current[place]].map(String);
  return { what: place === 0 ? 'tasks' : 'the word', from, to };
}

function programs(text: string | undefined): (string | number)[][] {
  try {
    return text === undefined ? [] : (JSON.parse(text) as (string | number)[][]);
  } catch {
    return [];
  }
}

function addedOrGone(before: string | undefined, now: string | undefined): Partial<Change> {
  if (before === undefined) return { to: '' };
  return now === undefined ? { from: '' } : {};
}

function textOf(value: Params[string] | undefined): string | undefined {
  return value === undefined ? undefined : formatValue(value);
}

function isHash(text: string | undefined): boolean {
  return text !== undefined && /^hash [0-9a-f]{16}$/.test(text);
}

/** No line breaks or other control characters. */
function isPlain(text: string): boolean {
  return !/\p{Cc}/u.test(text);
}
