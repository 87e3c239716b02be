import { join } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import type { Store } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { storeJobFolder } from '../job/paths.js';
import { writeAtomically } from '../job/write-atomically.js';
import { freePort } from './free-port.js';
import type { StoreAddress } from './messages.js';
import { type StoreLaunch, StoreProcess } from './store-process.js';

/** Ports tried for a store whose nodes must all have the same free one. */
const portAttempts = 10;

/** What is known of a store's start, so that it can be given up half-way. */
export interface StartHandle {
  current: StoreProcess | undefined;
  givenUp: boolean;
}

/**
 * Starts a store, waits until each node answers with its models loaded, and writes address.json. Nothing is left of one that fails.
 *
 * A store on several nodes whose port is free to choose gets one port for all, since the application has one address for all.
 */
export async function startStore(
  job: JobEnvironment,
  launch: Omit<StoreLaunch, 'port'>,
  handle: StartHandle,
): Promise<StoreProcess> {
  const choosing = choosesCommonPort(launch.store);
  for (let attempt = 1; ; attempt++) {
    const process = new StoreProcess(job, { ...launch, port: choosing ? await freePort() : undefined });
    handle.current = process;
    try {
      const nodes = await process.ready();
      if (handle.givenUp) throw new WorkflowError({ code: 'RUN1004', message: 'the start was given up' });
      const address: StoreAddress = {
        store: launch.store.name,
        job: job.job,
        jobId: job.jobId,
        nodes: [...nodes],
      };
      writeAtomically(addressFile(job, launch.store.name), `${JSON.stringify(address, undefined, 2)}\n`);
      return process;
    } catch (error) {
      await process.stop();
      const taken = error instanceof WorkflowError && error.code === 'RUN1003';
      if (!(choosing && taken && attempt < portAttempts) || handle.givenUp) throw error;
    }
  }
}

/** File from which launches learn a store's addresses. */
export function addressFile(job: JobEnvironment, store: string): string {
  return join(storeJobFolder(job, store), 'address.json');
}

function choosesCommonPort(store: Store): boolean {
  return store.kind === 'colocated' && store.transport.kind === 'tcp' && store.transport.port === 0 && store.nodes > 1;
}
