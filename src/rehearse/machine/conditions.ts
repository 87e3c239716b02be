import type { Job, JobCondition, Run } from '../standins.js';

/** Standing of a job's conditions on others. */
export type Verdict = 'met' | 'not yet' | 'never';

/** Verdict on all conditions of a run: all must be met. */
export function conditionOf({ request }: Job, run: Run, jobs: readonly Job[]): Verdict {
  const verdicts = request.after.map((condition) => {
    const other = jobs.find(({ id }) => id === condition.jobId);
    return other === undefined ? 'never' : verdictOn(condition, other, run);
  });
  if (verdicts.includes('never')) return 'never';
  return verdicts.includes('not yet') ? 'not yet' : 'met';
}

function verdictOn({ on, elementwise }: JobCondition, other: Job, own: Run): Verdict {
  const runs = elementwise ? other.runs.filter(({ index }) => index === own.index) : other.runs;
  if (on === 'start')
    return runs.some(({ startedAt, endedAt }) => (startedAt ?? endedAt) !== undefined) ? 'met' : 'not yet';
  const ended = runs.filter(({ endedAt }) => endedAt !== undefined);
  const bad = ended.some(({ state }) => state !== 'completed');
  if (on === 'ok') return bad ? 'never' : ended.length === runs.length ? 'met' : 'not yet';
  if (ended.length < runs.length) return 'not yet';
  return on === 'any' || bad ? 'met' : 'never';
}
