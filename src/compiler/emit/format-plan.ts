import type { Plan } from '../../ir/index.js';
import { fill, lineWidth } from './wrap-line.js';

/** plan.json, laid out for diffs: a value is on one line if it fits; texts and numbers of a longer list fill several lines. */
export function formatPlan(plan: Plan): string {
  return `${format(plan, '', 0)}\n`;
}

/** A value that starts at column `taken` of a line; further lines are indented by `margin`. */
function format(value: unknown, margin: string, taken: number): string {
  const line = inline(value);
  if (typeof value !== 'object' || value === null || taken + line.length < lineWidth) return line;
  const inner = `${margin}  `;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const items = Array.isArray(value)
    ? isFlat(value)
      ? fill(value.map(inline), ', ', lineWidth - inner.length - 1)
      : value.map((item) => format(item, inner, inner.length))
    : entriesOf(value).map(([key, item]) => `${key}: ${format(item, inner, inner.length + key.length + 2)}`);
  return `${open}\n${items.map((item) => `${inner}${item}`).join(',\n')}\n${margin}${close}`;
}

function isFlat(list: readonly unknown[]): boolean {
  return list.every((item) => typeof item !== 'object' || item === null);
}

function inline(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  const entries = entriesOf(value).map(([key, item]) => `${key}: ${inline(item)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

/** The fields of an object that are not undefined, with their keys in JSON. */
function entriesOf(value: object): [key: string, value: unknown][] {
  return Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[JSON.stringify(key), item]]));
}
