import type { Job, Plan } from '../../ir/index.js';
import type { StatusReader } from '../../runtime/status/index.js';
import type { JobReport } from '../../targets/queries.js';

/** Exit code of a launch that ended since the walltime was about to be over. */
export const timedOutExit = 124;

/**
 * End of a job that has gone, from what its launches wrote into the status files; `undefined` where they wrote nothing. Elements of a job
 * array have ids of their own, so of an array whatever its job wrote counts.
 */
export function stateFromStatus(
  plan: Plan,
  job: Job,
  id: string,
  reader: StatusReader,
): Pick<JobReport, 'state' | 'native' | 'reason' | 'exit' | 'elapsedSeconds'> | undefined {
  const isOf = (event: { readonly job: string; readonly jobId: string }) =>
    event.job === job.name && (event.jobId === id || job.array !== undefined);
  const entities = plan.entities.filter((entity) => entity.job === job.name);
  const statuses = entities.map(({ name }) => reader.of(name));
  const launches = statuses.map((status) => [...status.launches.values()].filter(isOf));
  const members = statuses.flatMap((status) => [...status.members.values()].filter(isOf));
  const events = [...launches.flat(), ...members];
  if (events.length === 0) return undefined;
  const ids = new Set(events.map(({ jobId }) => jobId));
  const begins = statuses.flatMap((status) => [...status.begins].flatMap(([of, time]) => (ids.has(of) ? [time] : [])));
  const latest = Math.max(...events.map(({ time }) => Date.parse(time)));
  const earliest = Math.min(...begins.map((time) => Date.parse(time)));
  const elapsed = { elapsedSeconds: Math.round((latest - earliest) / 1000) };
  const native = 'ended';
  const ends = launches.flat().filter(({ launch }) => launch === 'ended' || launch === 'skipped');
  const exit = Math.max(0, ...ends.map((end) => end.exit ?? 0));
  const failed = members.find(({ state }) => state === 'failed');
  if (failed === undefined && exit === timedOutExit) return { state: 'TIMEOUT', native, exit, ...elapsed };
  const interrupted = members.find(({ state }) => state === 'interrupted');
  if (failed === undefined && (exit >= 128 || interrupted !== undefined)) {
    const reason = interrupted?.reason === undefined ? {} : { reason: interrupted.reason };
    return { state: 'CANCELLED', native, exit, ...reason, ...elapsed };
  }
  if (exit > 0) return { state: 'FAILED', native, exit, ...elapsed };
  if (ends.length < launches.flat().length || launches.some((ofEntity) => ofEntity.length === 0)) {
    return { state: 'FAILED', native, reason: 'it ended before its launches', ...elapsed };
  }
  return { state: 'COMPLETED', native, exit, ...elapsed };
}
