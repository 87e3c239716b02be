import { WorkflowError } from '../../diagnostics/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { jobFolder } from '../job/job-folder.js';
import { controlSocket } from '../job/paths.js';
import { ControlClient } from './control-client.js';

/**
 * A connection to the job's supervisor that calls `onFailed` once, when one of these stores of the job dies or the supervisor goes away.
 *
 * @throws WorkflowError RUN1005 if there is no supervisor, or one of the stores is dead already.
 */
export async function watchStores(
  job: JobEnvironment,
  stores: readonly string[],
  onFailed: (problem: WorkflowError) => void,
): Promise<ControlClient> {
  const supervisor = await ControlClient.connect(controlSocket(jobFolder(job)));
  if (supervisor === undefined) {
    throw new WorkflowError({
      code: 'RUN1005',
      message: `the stores of this job (${stores.join(', ')}) are not running: their supervisor has gone`,
      hint: 'run/status/ has its log',
    });
  }
  try {
    await supervisor.watch(stores, onFailed);
  } catch (error) {
    supervisor.close();
    throw error;
  }
  return supervisor;
}
