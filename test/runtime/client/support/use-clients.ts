import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { Client } from '../../../../src/runtime/client/index.js';
import { type Started, start } from '../../orchestrator/support/start.js';

/** A store for all tests of a file, emptied after each; clients are closed then. `defaults` are variables of every client. */
export function useClients(defaults: Record<string, string> = {}) {
  let started: Started;
  let raw: Redis;
  const open: Client[] = [];
  beforeAll(async () => {
    started = await start();
    raw = new Redis(started.port);
  });
  afterEach(async () => {
    for (const client of open.splice(0)) await client.close();
    await raw.flushdb();
  });
  afterAll(async () => {
    raw.disconnect();
    await started.stop();
  });
  return {
    started: () => started,
    raw: () => raw,
    /** Connects a client with further variables of its environment. */
    async connect(env: Record<string, string> = {}, suffix?: string): Promise<Client> {
      const address = started.orchestrator.addresses[0] ?? '';
      const client = await Client.connect({
        env: { SSDB: address, ...defaults, ...env },
        ...(suffix !== undefined && { suffix }),
      });
      open.push(client);
      return client;
    },
  };
}
