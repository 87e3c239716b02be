import { Redis } from 'ioredis';
import { readSettings } from '../client/settings.js';

/** Milliseconds in which a store's host has to take a connection. */
const connectMs = 2000;

/** Milliseconds between two signs of life that are asked for, and in which one has to come. */
const silence = { askMs: 5000, mostMs: 60_000 };

/** An idle connection to a store in another job: when it drops, the store is gone. */
export class StoreLink {
  readonly #redis: Redis;
  readonly #pulse: NodeJS.Timeout;

  private constructor(redis: Redis) {
    this.#redis = redis;
    this.#pulse = setInterval(() => {
      redis.ping().catch(() => redis.disconnect());
    }, silence.askMs);
  }

  /**
   * Connects under a name to the very store that has this run id: another one may have the address of one that has gone. Returns why
   * not in words.
   */
  static async open(address: string, runId: string, name: string): Promise<StoreLink | string> {
    const [place] = readSettings({ SSDB: address }).addresses;
    const redis = new Redis({
      ...place,
      lazyConnect: true,
      protocol: 2,
      connectTimeout: connectMs,
      commandTimeout: silence.mostMs,
      disableClientInfo: true,
      enableReadyCheck: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    });
    let problem = '';
    redis.on('error', (error: Error) => {
      problem = error.message;
    });
    try {
      await redis.connect();
      const found = /^run_id:(\S+)/m.exec(await redis.info('server'))?.[1];
      if (found === runId) {
        await redis.client('SETNAME', name);
        return new StoreLink(redis);
      }
      problem = `another store answers at ${address}`;
    } catch (error) {
      problem ||= error instanceof Error ? error.message : String(error);
    }
    redis.disconnect();
    return problem;
  }

  /** Calls back once, when the connection is lost. */
  onLost(callback: () => void): void {
    if (this.#redis.status === 'end') callback();
    else this.#redis.once('end', callback);
  }

  close(): void {
    clearInterval(this.#pulse);
    this.#redis.removeAllListeners('end');
    this.#redis.disconnect();
  }
}
