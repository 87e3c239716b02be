import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { memberName, type Plan } from '../../ir/index.js';
import { storeFolder } from '../../runtime/job/paths.js';
import { parseError } from '../../runtime/orchestrator/server/error-line.js';
import { tailOf } from '../../runtime/output/index.js';
import { findMember } from './find.js';

/** An error that a store has answered, as often as it was the same. */
export interface StoreError {
  /** Time of the first such answer, ISO 8601, UTC. */
  readonly time: string;
  readonly store: string;
  /** The client, in the store's words. */
  readonly who: string;
  /** The member that asked; absent where that cannot be known. */
  readonly member?: string;
  /** The way the member was found: by its process, or, on another host, by the prefix of a key. */
  readonly by?: 'process' | 'key';
  readonly command: string;
  readonly keys: readonly string[];
  readonly times: number;
  readonly text: string;
}

/** Bytes of a store's log that are read, from its end. */
const mostBytes = 16 * 1024 * 1024;

/** Errors that the plan's stores have answered, oldest first. */
export function storeErrors(plan: Plan, dir: string): StoreError[] {
  const errors = plan.stores.flatMap(({ name }) =>
    storeLogs(dir, name)
      .filter((path) => !path.endsWith('launch.log'))
      .flatMap((path) => errorsOf(plan, name, join(dir, path))),
  );
  return errors.sort((a, b) => (a.time < b.time ? -1 : 1));
}

/** Logs of a store, relative to the folder: of each host, and of each element of a job array. */
export function storeLogs(dir: string, store: string): string[] {
  const folder = storeFolder(dir, store);
  const inside = namesIn(folder);
  const files = [
    ...inside,
    ...inside
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => namesIn(join(folder, name)).map((one) => join(name, one))),
  ];
  return files.filter((name) => name.endsWith('.log')).map((name) => join('run/stores', store, name));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function errorsOf(plan: Plan, store: string, path: string): StoreError[] {
  const found = new Map<string, StoreError>();
  // A store that is started again counts from 1 again.
  const before = new Map<string, number>();
  for (const line of tailOf(path, Number.POSITIVE_INFINITY, mostBytes)?.lines ?? []) {
    const [, time, message] = /^(\S+) warn (error for .*)$/.exec(line) ?? [];
    const error = message === undefined ? undefined : parseError(message);
    if (time === undefined || error === undefined) continue;
    const { times, ...rest } = error;
    const key = JSON.stringify(rest);
    const known = found.get(key);
    if (known !== undefined && times === 1) before.set(key, known.times);
    const total = (before.get(key) ?? 0) + times;
    found.set(key, { time: known?.time ?? time, store, ...rest, ...attribution(plan, error), times: total });
  }
  return [...found.values()];
}

function attribution(
  plan: Plan,
  { who, keys }: { readonly who: string; readonly keys: readonly string[] },
): Pick<StoreError, 'member' | 'by'> {
  const [, name = ''] = /^(\S+) \(process \d+\)$/.exec(who) ?? [];
  if (findMember(plan, name) !== undefined) return { member: name, by: 'process' };
  // A process of this host that is no member's is nobody's.
  if (/^process \d+$/.test(who)) return {};
  for (const key of keys) {
    const found = findMember(plan, key.slice(0, key.indexOf('.')));
    if (found?.entity.keyPrefixing) return { member: memberName(found.entity, found.index), by: 'key' };
  }
  return {};
}
