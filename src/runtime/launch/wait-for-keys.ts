import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowError } from '../../diagnostics/index.js';
import type { Entity, Plan } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { OtherJobs } from '../scheduler/other-jobs.js';
import type { StatusReader } from '../status/index.js';
import type { StopRequest } from './stop-request.js';
import type { SeenStore } from './store-addresses.js';
import { awaitedEvent, verdictOf } from './wait-for-events.js';

/** Milliseconds between two looks for a key. */
const pauseMs = 100;

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
    if (seen !== undefined) await waitForKey(job, plan, entity, after, seen.address, reader, stop);
  }
}

async function waitForKey(
  job: JobEnvironment,
  plan: Plan,
  entity: Entity,
  after: AfterKey,
  address: string,
  reader: StatusReader,
  stop: StopRequest,
): Promise<void> {
  // Most launches wait for no key and start faster without the client.
  const { Client } = await import('../client/index.js');
  const client = await Client.connect({ env: { SSDB: address, SR_DB_TYPE: 'Standalone' } });
  const others = new OtherJobs(job, plan);
  const ended = awaitedEvent(job, plan, entity, reader, after.name, 'ended', others);
  try {
    while (stop.reason === undefined) {
      await others.refresh([ended.job]);
      reader.refresh();
      // Judged before the look: a key that its writer wrote last is there by then.
      const hasEnded = verdictOf(job, plan, reader, ended, others) === 'met';
      if (await client.keyExists(after.key)) return;
      if (hasEnded) throw neverWritten(entity, after, ended.over?.());
      await sleep(pauseMs);
    }
  } finally {
    await client.close();
  }
}

function neverWritten(entity: Entity, { name, key, store }: AfterKey, why: string | undefined): WorkflowError {
  return new WorkflowError({
    code: 'RUN1009',
    message: `${entity.name} is not launched: it waits for key '${key}' in store '${store}', and '${name}' has ended without writing it${why === undefined ? '' : `: ${why}`}`,
    hint: 'write the key as it is in the store: with key prefixing, NAME.key',
  });
}
