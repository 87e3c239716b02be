import type { Plan } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { jobOf } from '../job/read-plan.js';
import { ClusterFiles } from './cluster-files.js';

/** Removes what a job's Ray clusters leave when their launches are killed, the tokens among it, and says that they have ended. */
export function clearClusters(job: JobEnvironment, plan: Plan): void {
  const { entities } = jobOf(plan, job.job);
  for (const { name, ray } of plan.entities) {
    if (ray === undefined || !entities.includes(name)) continue;
    const files = new ClusterFiles(job.dir, name);
    const address = files.address();
    // Another job on this folder may run the cluster now.
    if (address !== undefined && address.jobId !== job.jobId) continue;
    const id = address?.id ?? files.start()?.id;
    if (id === undefined) continue;
    files.announceEnd({ id, jobId: job.jobId, reason: 'its job has ended, and it was killed before' });
    files.clear();
  }
}
