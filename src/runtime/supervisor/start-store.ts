import { WorkflowError } from '../../diagnostics/index.js';
import type { Store } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { publishAddress, readAddress } from '../store-files/address-file.js';
import { clientAddresses, type StoreAddress } from '../store-files/store-address.js';
import { freePort } from './free-port.js';
import { type StoreLaunch, StoreProcess } from './store-process.js';

/** Ports tried for a store whose nodes must all have the same free one. */
const portAttempts = 10;

/** Facts about a store's start, so that it can be given up half-way. */
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
  const common = choosesCommonPort(launch.store);
  const choosing = common || choosesPorts(launch.store);
  for (let attempt = 1; ; attempt++) {
    const process = new StoreProcess(job, { ...launch, port: common ? await freePort() : undefined });
    try {
      publishAddress(job, addressOf(job, process, await answering(process, handle)));
      process.onMoved = (nodes) => republish(job, process, nodes);
      return process;
    } catch (error) {
      await process.stop(0);
      const taken = error instanceof WorkflowError && error.code === 'RUN1003';
      if (!(choosing && taken && attempt < portAttempts) || handle.givenUp) throw error;
    }
  }
}

/**
 * Starts a store again where it was, for those who have its address. Throws RUN1004 when it comes up somewhere else; nothing is left of
 * one that fails.
 */
export async function restartStore(
  job: JobEnvironment,
  launch: Omit<StoreLaunch, 'port'>,
  handle: StartHandle,
): Promise<StoreProcess> {
  const last = readAddress(job, launch.store.name);
  const former = last === undefined ? [] : clientAddresses(last);
  const before = former.join(', ');
  const isCluster = launch.store.kind === 'standalone' && launch.store.shards > 1;
  const place = isCluster ? { port: undefined, former } : { port: portOf(former[0]) };
  const process = new StoreProcess(job, { ...launch, ...place });
  try {
    const nodes = await answering(process, handle);
    const now = clientAddresses(addressOf(job, process, nodes)).join(', ');
    if (now !== before) {
      throw new WorkflowError({
        code: 'RUN1004',
        message: `store '${launch.store.name}' started again at ${now}, but its users know it at ${before}`,
      });
    }
    publishAddress(job, { ...addressOf(job, process, nodes), restarts: last?.restarts ?? 1 });
    process.onMoved = (now) => republish(job, process, now);
    return process;
  } catch (error) {
    await process.stop(0);
    throw error;
  }
}

/** Tells those who come anew where its servers are now. */
function republish(job: JobEnvironment, { name }: StoreProcess, nodes: readonly StoreAddress['nodes'][number][]): void {
  const last = readAddress(job, name);
  if (last !== undefined) publishAddress(job, { ...last, nodes: [...nodes] });
}

async function answering(process: StoreProcess, handle: StartHandle): Promise<StoreAddress['nodes']> {
  handle.current = process;
  const nodes = await process.ready();
  if (handle.givenUp) throw new WorkflowError({ code: 'RUN1004', message: 'the start was given up' });
  return [...nodes];
}

function addressOf(job: JobEnvironment, { name, id }: StoreProcess, nodes: StoreAddress['nodes']): StoreAddress {
  return { store: name, id, restarts: 0, job: job.job, jobId: job.jobId, nodes };
}

function portOf(address: string | undefined): number | undefined {
  const port = /:(\d+)$/.exec(address ?? '')?.[1];
  return port === undefined ? undefined : Number(port);
}

/** True for a cluster whose servers each get a free port. */
function choosesPorts(store: Store): boolean {
  return store.kind === 'standalone' && store.shards > 1 && store.port === 0;
}

function choosesCommonPort(store: Store): boolean {
  return store.kind === 'colocated' && store.transport.kind === 'tcp' && store.transport.port === 0 && store.nodes > 1;
}
