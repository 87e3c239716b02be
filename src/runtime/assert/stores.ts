import { createServer } from 'node:net';
import { type Problem, WorkflowError } from '../../diagnostics/index.js';
import type { Job, Plan, Store } from '../../ir/index.js';
import { launcherOfProgram } from '../../targets/launchers/index.js';
import { type JobEnvironment, thisHost } from '../job/job-environment.js';
import { isCode } from '../job/job-folder.js';
import { networkAddress } from '../job/network-address.js';
import { socketPath } from '../store/listen-places.js';

/** Where each store of the job is to listen can be listened on, as far as that shows on this host. */
export async function checkListenPlaces(job: JobEnvironment, plan: Plan, stores: readonly Store[]): Promise<Problem[]> {
  const planned = plan.jobs.find(({ name }) => name === job.job);
  const problems: Problem[] = [];
  for (const store of stores) {
    try {
      if (store.kind === 'colocated' && store.transport.kind === 'uds') {
        socketPath(job, store.name, store.transport.socket);
      }
      const port = fixedPort(store);
      if (port === 0 || planned === undefined || !runsHere(job, planned, store)) continue;
      const host =
        store.kind === 'standalone' && store.scope === 'network'
          ? await networkAddress(store.interface ?? plan.networkInterface)
          : '127.0.0.1';
      if (await isTaken(host, port)) problems.push(taken(store, host, port));
    } catch (error) {
      if (!(error instanceof WorkflowError)) throw error;
      problems.push(...error.problems);
    }
  }
  return problems;
}

/** Its port, or 0 for a free one. */
function fixedPort(store: Store): number {
  if (store.kind === 'standalone') return store.port;
  return store.transport.kind === 'tcp' ? store.transport.port : 0;
}

/** True if one of the store's processes certainly runs on this host: a launcher may put a store on any node of several. */
function runsHere({ hosts }: JobEnvironment, job: Job, store: Store): boolean {
  const isOurs = hosts.some((host) => host === 'localhost' || host.split('.')[0] === thisHost());
  const isApart = launcherOfProgram(store.launch[0])?.scriptApart === true;
  if (!isOurs || isApart || job.components.length > 0) return false;
  return hosts.length === 1 || (store.kind === 'colocated' && store.nodes >= hosts.length);
}

/** Tries it: what the kernel says is the only truth about a port. */
function isTaken(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(isCode(error, 'EADDRINUSE')));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(false)));
  });
}

function taken(store: Store, host: string, port: number): Problem {
  return {
    code: 'RUN1003',
    severity: 'error',
    message: `${host}:${port} is taken by another process, and store '${store.name}' is to listen there`,
    hint: 'leave port out, so that a free one is chosen, or choose another',
  };
}
