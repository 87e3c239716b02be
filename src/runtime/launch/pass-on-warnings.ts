import type { Plan } from '../../ir/index.js';
import { queriesOf } from '../../targets/schedulers.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { jobOf } from '../job/read-plan.js';
import { ownScript } from '../scheduler/own-script.js';
import type { Application } from './application.js';

/**
 * Passes SIGUSR1, with which schedulers warn of the end, on to the applications, unless it means something else for this job. Returns a
 * function that ends it.
 */
export function passOnWarnings(job: JobEnvironment, plan: Plan, running: ReadonlySet<Application>): () => void {
  const passOn = () => {
    const { warnsBeforeEnd } = queriesOf[plan.target] ?? {};
    if (warnsBeforeEnd?.(ownScript(job, jobOf(plan, job.job).script)) === false) return;
    for (const application of running) application.signal('SIGUSR1');
  };
  process.on('SIGUSR1', passOn);
  return () => process.off('SIGUSR1', passOn);
}
