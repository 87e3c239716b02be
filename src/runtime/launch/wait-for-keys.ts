import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowError } from '../../diagnostics/index.js';
import type { Entity, Plan, Store } from '../../ir/index.js';
import { type JobEnvironment, thisHost } from '../job/job-environment.js';
import { jobFolder } from '../job/job-folder.js';
import { controlSocket } from '../job/paths.js';
import { OtherJobs } from '../scheduler/other-jobs.js';
import type { StatusReader } from '../status/index.js';
import { ControlClient } from '../supervisor/control-client.js';
import { clientKind } from './member-environment.js';
import type { StopRequest } from './stop-request.js';
import type { SeenStore } from './store-addresses.js';
import { awaitedEvent, verdictOf } from './wait-for-events.js';

/** Milliseconds between two looks for a key. */
const pauseMs = 100;

/** Milliseconds in which the end of a store that does not answer is told. */
const lossMs = 500;

type AfterKey = Extract<Entity['after'][number], { key: string }>;

/**
 * Waits until every key that the entity is `.after` exists in its store, or a stop is requested. Throws RUN1009 when an entity has ended
 * without having written its key.
 */
export async function waitForKeys(
  job: JobEnvironment,
  plan: Plan,
  entity: Entity,
  stores: readonly SeenStore[],
  reader: StatusReader,
  stop: StopRequest,
): Promise<void> {
  for (const after of entity.after) {
    if (!('key' in after)) continue;
    const seen = stores.find(({ store }) => store.name === after.store);
    if (seen !== undefined) await waitForKey(job, plan, entity, after, seen, reader, stop);
  }
}

async function waitForKey(
  job: JobEnvironment,
  plan: Plan,
  entity: Entity,
  after: AfterKey,
  seen: SeenStore,
  reader: StatusReader,
  stop: StopRequest,
): Promise<void> {
  const keys = await stop.orStop(keysOf(job, seen));
  if (keys === undefined) return;
  const others = new OtherJobs(job, plan);
  const ended = awaitedEvent(job, plan, entity, reader, after.name, 'ended', others);
  try {
    while (stop.reason === undefined) {
      await others.refresh([ended.job]);
      reader.refresh();
      // Judged before the look: a key that its writer wrote last is there by then.
      const hasEnded = verdictOf(job, plan, reader, ended, others) === 'met';
      if (await stop.orStop(keys.exists(after.key))) return;
      if (hasEnded) throw neverWritten(entity, after, ended.over?.());
      await sleep(pauseMs);
    }
  } catch (error) {
    // A store that dies is told of by its supervisor, which says why.
    const isLoss = error instanceof WorkflowError && error.problems[0].code !== 'RUN1009';
    if (isLoss && stop.reason === undefined) await sleep(lossMs);
    if (stop.reason === undefined) throw error;
  } finally {
    await stop.orStop(keys.close());
  }
}

/** The keys of a store, as a launch can ask for them. */
interface Keys {
  exists(key: string): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * The keys of a store. One that is colocated is met by the applications on its nodes, where this process may not be: it is asked by its
 * supervisor, on each node.
 *
 * @throws WorkflowError RUN1022 if this host cannot reach a store on another one
 */
async function keysOf(job: JobEnvironment, { store, address }: SeenStore): Promise<Keys> {
  if (store.kind === 'colocated' && store.launch.length > 0) {
    const supervisor = await ControlClient.connect(controlSocket(jobFolder(job)));
    if (supervisor === undefined) throw unreachable(store, address, 'the supervisor of this job has gone');
    return { exists: (key) => supervisor.exists(store.name, key), close: async () => supervisor.close() };
  }
  // Most launches wait for no key and start faster without the client.
  const { Client, ClientError } = await import('../client/index.js');
  try {
    const client = await Client.connect({ env: { SSDB: address, SR_DB_TYPE: clientKind(store) } });
    const exists = async (key: string) => {
      try {
        return await client.keyExists(key);
      } catch (error) {
        throw error instanceof ClientError ? unreachable(store, address, error.message) : error;
      }
    };
    return { exists, close: () => client.close() };
  } catch (error) {
    throw error instanceof ClientError ? unreachable(store, address, error.message) : error;
  }
}

function unreachable(store: Store, address: string, why: string): WorkflowError {
  return new WorkflowError({
    code: 'RUN1022',
    message: `${thisHost()} cannot ask store '${store.name}' at ${address} for a key: ${why}`,
    hint: 'a store that launches on other hosts are to reach listens on their network: networkInterface in the site names it',
  });
}

function neverWritten(entity: Entity, { name, key, store }: AfterKey, why: string | undefined): WorkflowError {
  return new WorkflowError({
    code: 'RUN1009',
    message: `${entity.name} is not launched: it waits for key '${key}' in store '${store}', and '${name}' has ended without writing it${why === undefined ? '' : `: ${why}`}`,
    hint: 'write the key as it is in the store: with key prefixing, NAME.key',
  });
}
