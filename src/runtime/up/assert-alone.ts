import { WorkflowError } from '../../diagnostics/index.js';
import type { Plan, Store } from '../../ir/index.js';
import { allowHosts } from '../allow/allow-hosts.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { readSharedAddress } from '../store-files/address-file.js';

/** Throws RUN1008 when another job runs the store now: two would take each other's users and checkpoint. */
export async function assertAlone(job: JobEnvironment, plan: Plan, store: Store): Promise<void> {
  const address = readSharedAddress(job.dir, store.name);
  const node = address?.nodes[0];
  const place = node?.addresses[0];
  if (address === undefined || node === undefined || place === undefined || address.jobId === job.jobId) return;
  await allowHosts(job, plan, [store]);
  const { StoreLink } = await import('../launch/store-link.js');
  const link = await StoreLink.open(place, node.runId, 'up');
  if (typeof link === 'string') return;
  link.close();
  throw new WorkflowError({
    code: 'RUN1008',
    message: `store '${store.name}' is being run by job ${address.jobId} ('${address.job}' on ${node.host})`,
    hint: 'its users find it there; wait for it, or cancel that job',
  });
}
