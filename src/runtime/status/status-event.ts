import * as z from 'zod';
import { ParamValue } from '../../ir/index.js';

/** States of a member, in the order in which they happen. The last three are ends. */
export const MemberState = z.enum(['staged', 'running', 'completed', 'failed', 'interrupted']);
export type MemberState = z.infer<typeof MemberState>;

const common = {
  /** ISO 8601, UTC, with milliseconds: later times compare greater as text. */
  time: z.string(),
  job: z.string(),
  jobId: z.string(),
  /** The submission that the job belonged to. */
  run: z.string().optional(),
  entity: z.string(),
  /** Why it is so, where that is not plain from the state. */
  reason: z.string().optional(),
};

/** Stands for a start of a store whose data are nowhere: it began and ended between two looks, or others have written over them. */
export const unknownStart = '';

/** Something that happened to a member. */
export const MemberEvent = z.object({
  ...common,
  index: z.int().nonnegative(),
  /** Digest of what the member does. */
  digest: z.string(),
  /** Digest of the record in run/recipes of what it was made from. */
  recipe: z.string().optional(),
  params: z.record(z.string(), ParamValue).optional(),
  /** When what is told happened, where the line is of later: the member was renumbered, or accepted with `--keep`. */
  happened: z.string().optional(),
  /** `NAME_3` of an ensemble, the name of a model. */
  member: z.string(),
  state: MemberState,
  /** Exit code of the application; 128 + n when signal n ended it. */
  exit: z.number().optional(),
  signal: z.string().optional(),
  seconds: z.number().optional(),
  host: z.string().optional(),
  /** Number of the attempt in its directory, 1 for the first: output of an earlier one is in NAME.out.N and NAME.err.N. */
  attempt: z.int().positive().optional(),
  /** Cause of a failure: the line of its output that tells best why, and the stream that the line is from. */
  cause: z.object({ line: z.string(), stream: z.enum(['out', 'err']) }).optional(),
  /** Starts of the stores that it saw, by the stores' names: one of each, unless the store was started again while it ran. */
  stores: z.record(z.string(), z.array(z.string())).optional(),
});
export type MemberEvent = z.infer<typeof MemberEvent>;

/** Something that happened to a `launch` of an entity: `skipped` when what it waits for can no longer come. */
export const LaunchEvent = z.object({
  ...common,
  launch: z.enum(['waiting', 'launching', 'ended', 'skipped']),
  host: z.string(),
  pid: z.number(),
  startTicks: z.string(),
  /** Exit code of the launch, once it has ended. */
  exit: z.number().optional(),
  /** Where members ran, by index, that the scheduler chose a host for: it is asked for all of them at the end. */
  hosts: z.record(z.string(), z.array(z.int().nonnegative())).optional(),
  /** Members that had completed before and stay as they are: `0-3,7`. They count for this run. */
  done: z.string().optional(),
});
export type LaunchEvent = z.infer<typeof LaunchEvent>;

/** One line of a status file. */
export type StatusEvent = MemberEvent | LaunchEvent;

/** True if nothing more will happen to a member in that state. */
export function isEnd(state: MemberState): boolean {
  return state === 'completed' || state === 'failed' || state === 'interrupted';
}

/** When what an event tells of happened, ISO 8601. */
export function happenedAt({ happened, time }: MemberEvent): string {
  return happened ?? time;
}

/** Reads a line of a status file; `undefined` for one that is none. */
export function parseStatusLine(line: string): StatusEvent | undefined {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return undefined;
  }
  const schema = typeof json === 'object' && json !== null && 'launch' in json ? LaunchEvent : MemberEvent;
  const event = schema.safeParse(json);
  return event.success ? event.data : undefined;
}
