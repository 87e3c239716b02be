import type { TargetName } from '../../ir/index.js';
import type { LockScheduler } from '../job/member-lock.js';
import { Scheduler } from './scheduler.js';

/** Milliseconds for which an answer counts: many members may have been left by one job. */
const freshMs = 5000;

/** The scheduler of a target as locks ask it; `undefined` where there is none. */
export function lockScheduler(target: TargetName, env: NodeJS.ProcessEnv): LockScheduler | undefined {
  const scheduler = Scheduler.of(target, env);
  if (scheduler === undefined) return undefined;
  const asked = new Map<string, { readonly atMs: number; readonly answer: Promise<boolean | undefined> }>();
  return {
    name: [target, ...(scheduler.cluster === undefined ? [] : [scheduler.cluster])].join('/'),
    restarts: scheduler.restarts,
    holds: (id) => {
      const last = asked.get(id);
      if (last !== undefined && Date.now() - last.atMs < freshMs) return last.answer;
      const answer = scheduler.runs(id);
      asked.set(id, { atMs: Date.now(), answer });
      return answer;
    },
  };
}
