import { join } from 'node:path';
import { memberDirectory, memberName, memberParams, type Params } from '../../ir/index.js';
import { outputName, streams, tailOf } from '../../runtime/output/index.js';
import { type AsideEntry, listAside } from '../../runtime/rerun/index.js';
import {
  type Attempt,
  type AttemptTable,
  type EntityStatus,
  LaunchHosts,
  type MemberEvent,
  type MemberState,
} from '../../runtime/status/index.js';
import type { FoundMember } from './find.js';
import type { StoreError } from './store-errors.js';

/** End of an output. */
export interface OutputEnd {
  /** Relative to the folder. */
  readonly file: string;
  /** Size in bytes; 0 too where there is no such file. */
  readonly bytes: number;
  readonly lines: readonly string[];
  /** True if there is more before these lines. */
  readonly isCut: boolean;
}

/** One attempt at a member, with its output. */
export interface AttemptLog {
  /** 1 for the first of all. */
  readonly attempt: number;
  readonly state: MemberState;
  readonly job: string;
  readonly jobId: string;
  readonly host: string | undefined;
  readonly exit: number | undefined;
  readonly signal: string | undefined;
  readonly seconds: number | undefined;
  readonly reason: string | undefined;
  /** Line of its output that tells best why it failed. */
  readonly cause: string | undefined;
  readonly begun: string;
  /** Absent where it wrote nothing, or its directory gave way to a new one and was removed. */
  readonly out?: OutputEnd;
  readonly err?: OutputEnd;
}

/** All that is known of a member. */
export interface MemberLog {
  readonly name: string;
  readonly entity: string;
  readonly index: number;
  readonly directory: string;
  readonly params: Params;
  readonly attempts: readonly AttemptLog[];
  /** Number of attempts, including those that are not shown. */
  readonly total: number;
  /** The recorded reason why it has not begun. */
  readonly waiting: string | undefined;
  readonly storeErrors: readonly StoreError[];
}

/** Sources of a member's log. */
export interface LogSources {
  readonly dir: string;
  readonly attempts: AttemptTable;
  readonly statusOf: (entity: string) => EntityStatus;
  readonly storeErrors: readonly StoreError[];
}

/** Gathers what is known of a member, with the last `lines` lines of each of its outputs; `only` is one attempt. */
export function memberLog(
  { entity, index }: FoundMember,
  { dir, attempts, statusOf, storeErrors }: LogSources,
  { lines, only }: { readonly lines: number; readonly only: number | undefined },
): MemberLog {
  const name = memberName(entity, index);
  const directory = memberDirectory(entity, index);
  const all = attempts.of(entity.name, index);
  const hosts = new LaunchHosts(statusOf(entity.name).launches.values());
  const aside = listAside(dir).filter((entry) => entry.entity === entity.name && entry.member === name);
  const logs = all.map((attempt, at) => attemptLog(attempt, at + 1, { dir, directory, name, lines, hosts, aside }));
  return {
    name,
    entity: entity.name,
    index,
    directory,
    params: memberParams(entity.members, index),
    attempts: only === undefined ? logs : logs.slice(only - 1, only),
    total: all.length,
    waiting: all.length > 0 ? undefined : lastReason(statusOf(entity.name)),
    storeErrors: storeErrors.filter(({ member }) => member === name),
  };
}

interface OutputPlace {
  readonly dir: string;
  readonly directory: string;
  readonly name: string;
  readonly lines: number;
  readonly hosts: LaunchHosts;
  /** Directories of the member that were moved aside, oldest first. */
  readonly aside: readonly AsideEntry[];
}

function attemptLog(
  { last, begun, output }: Attempt,
  attempt: number,
  { dir, directory, name, lines, hosts, aside }: OutputPlace,
): AttemptLog {
  const place = output === undefined || output.isHere ? directory : asideOf(last, aside);
  const outputs = streams.flatMap((stream) => {
    if (output === undefined || place === undefined) return [];
    const file = join(place, outputName(name, stream, output.number));
    const end = tailOf(join(dir, file), lines) ?? { bytes: 0, lines: [], isCut: false };
    return [[stream, { file, bytes: end.bytes, lines: end.lines, isCut: end.isCut }] as const];
  });
  const { state, job, jobId, index, host = hosts.of(jobId, index), exit, signal, seconds, reason, cause } = last;
  const shown = { attempt, state, job, jobId, host, exit, signal, seconds, reason, cause: cause?.line, begun };
  return { ...shown, ...Object.fromEntries(outputs) };
}

/** The directory that an attempt wrote into, relative to the folder: the first that gave way after it. */
function asideOf({ time }: MemberEvent, aside: readonly AsideEntry[]): string | undefined {
  const entry = aside.find((one) => one.time >= time);
  return entry === undefined ? undefined : join('run/aside', entry.name);
}

/** The reason that an entity's last launch gave for members that have not begun. */
function lastReason({ launches }: EntityStatus): string | undefined {
  const last = [...launches.values()].sort((a, b) => (a.time < b.time ? -1 : 1)).at(-1);
  return last?.reason;
}
