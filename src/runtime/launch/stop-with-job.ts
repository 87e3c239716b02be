import type { Plan } from '../../ir/index.js';
import { queriesOf } from '../../targets/schedulers.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { watchScript } from '../job/watch-script.js';
import { watchDeadline } from './deadline.js';
import type { StopRequest } from './stop-request.js';

/**
 * Requests a stop when the job has to end: at SIGTERM, SIGINT, SIGHUP and SIGUSR2, at its deadline and the scheduler's signal for it, and
 * when its script is gone. Returns a function that ends the watch.
 */
export function stopWithJob(job: JobEnvironment, plan: Plan, stop: StopRequest): () => void {
  const limit = queriesOf[plan.target]?.limitSignal;
  const handlers = (['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const)
    .filter((signal) => signal !== limit)
    .map((signal) => [signal, () => stop.request({ kind: 'signal', signal })] as const);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  const atLimit = () => stop.request({ kind: 'deadline' });
  if (limit !== undefined) process.on(limit, atLimit);
  const endScriptWatch = watchScript(job, true, () => stop.request({ kind: 'script-gone' }));
  const endDeadlineWatch = watchDeadline(job, plan, () => stop.request({ kind: 'deadline' }));
  return () => {
    if (limit !== undefined) process.off(limit, atLimit);
    for (const [signal, handler] of handlers) process.off(signal, handler);
    endScriptWatch();
    endDeadlineWatch();
  };
}
