import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { ClientError } from './client-error.js';
import { Request } from './request.js';
import type { ClientSettings, StoreAddress } from './settings.js';

/** Commands whose reply, if it comes late, is nested in arrays of one element. */
const lateReplies: ReadonlySet<string> = new Set([
  'AI.TENSORSET',
  'AI.MODELSTORE',
  'AI.MODELEXECUTE',
  'AI.MODELDEL',
  'AI.SCRIPTSET',
  'AI.SCRIPTRUN',
  'AI.SCRIPTDEL',
]);

/** A part of a command. */
export type Word = string | Buffer;

/** A connection to one store. Replies are integers, null, arrays, and buffers for all text. */
export class Connection {
  readonly #redis: Redis;

  private constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** Tries as often as the settings say. @throws ClientError */
  static async open(address: StoreAddress, settings: ClientSettings): Promise<Connection> {
    let last: unknown;
    for (let attempt = 1; attempt <= settings.connectAttempts; attempt += 1) {
      if (attempt > 1) await sleep(settings.connectIntervalMs);
      const redis = new Redis(optionsFor(address, settings));
      // Without a listener ioredis prints; the failing call reports the error.
      redis.on('error', (error: unknown) => {
        last = error;
      });
      try {
        await redis.connect();
        await redis.ping();
        redis.options.retryStrategy = (times) => (times > settings.commandAttempts ? null : settings.commandIntervalMs);
        return new Connection(redis);
      } catch (error) {
        last = isClosed(error) ? (last ?? error) : error;
        redis.disconnect();
        // The store has answered, and will answer the same again.
        if (isReply(error)) break;
      }
    }
    const place = 'path' in address ? `unix://${address.path}` : `${address.host}:${address.port}`;
    throw new ClientError(`cannot connect to the store at ${place}: ${messageOf(last)}`, { cause: last });
  }

  /** @throws ClientError with the server's text */
  async send(...words: readonly Word[]): Promise<unknown> {
    try {
      const reply = await this.#redis.sendCommand(new Request(words));
      return lateReplies.has(String(words[0])) ? innermost(reply) : reply;
    } catch (error) {
      throw new ClientError(messageOf(error), { cause: error });
    }
  }

  /** Lets pending replies come in, then ends. */
  async close(): Promise<void> {
    if (this.#redis.status === 'ready') await this.#redis.quit().catch(() => undefined);
    this.#redis.disconnect();
  }
}

function optionsFor(address: StoreAddress, settings: ClientSettings) {
  return {
    ...address,
    lazyConnect: true,
    protocol: 2 as const,
    disableClientInfo: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    maxRetriesPerRequest: settings.commandAttempts,
    ...(settings.socketTimeoutMs !== undefined && { socketTimeout: settings.socketTimeoutMs }),
  };
}

/** @throws the error if that is what the arrays hold */
function innermost(reply: unknown): unknown {
  let inner = reply;
  while (Array.isArray(inner) && inner.length === 1) inner = inner[0];
  if (inner instanceof Error) throw inner;
  return inner;
}

function isReply(error: unknown): boolean {
  return error instanceof Error && 'command' in error;
}

function isClosed(error: unknown): boolean {
  return error instanceof Error && error.message === 'Connection is closed.';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
