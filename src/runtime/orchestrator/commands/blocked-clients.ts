import type { Keyspace } from '../keyspace/keyspace.js';
import type { Reply } from '../resp/reply.js';
import type { ClientFacts } from './client-facts.js';

const longestTimerMs = 2 ** 31 - 1;

interface Waiter {
  readonly keys: readonly string[];
  /** The reply if the key has what is waited for. */
  readonly serve: (key: string) => Reply | undefined;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
  readonly end: () => void;
}

/** Clients that wait for lists, by key, first come first served. */
export class BlockedClients {
  readonly #keyspace: Keyspace;
  readonly #waiting = new Map<string, { readonly waiters: Set<Waiter>; readonly stop: () => void }>();
  readonly #ready = new Set<string>();
  #count = 0;
  /**
   * True if a key that is waited for has changed: {@link serve} is to be called when the command that did it is done. A plain field,
   * since every command asks.
   */
  hasReady = false;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  /** Clients that wait. */
  get count(): number {
    return this.#count;
  }

  /** Waits for one of the keys; `tooLate` is the reply when the time is over. 0 ms: for ever. */
  waitForKeys(
    client: ClientFacts,
    keys: readonly string[],
    timeoutMs: number,
    tooLate: Reply,
    serve: (key: string) => Reply | undefined,
  ): Promise<Reply> {
    return this.wait(client, timeoutMs, tooLate, (resolve, reject) => {
      const waiter: Waiter = { keys: [...new Set(keys)], serve, resolve, reject, end: () => this.#remove(waiter) };
      for (const key of waiter.keys) this.#add(key, waiter);
      return waiter.end;
    });
  }

  /** Waits until `begin`'s callback is called, or the time is over; what `begin` returns is called at the end. */
  wait(
    client: ClientFacts,
    timeoutMs: number,
    tooLate: Reply,
    begin: (resolve: (reply: Reply) => void, reject: (error: unknown) => void) => () => void = () => () => undefined,
  ): Promise<Reply> {
    this.#count += 1;
    return new Promise<Reply>((resolve, reject) => {
      let over = false;
      const finish = (settle: () => void): void => {
        if (over) return;
        over = true;
        this.#count -= 1;
        client.blocked = undefined;
        stopTimer();
        stop();
        settle();
      };
      const answer = (reply: Reply): void => finish(() => resolve(reply));
      const stop = begin(answer, (error) => finish(() => reject(error)));
      const stopTimer = timeoutMs === 0 ? () => undefined : callLater(timeoutMs, () => answer(tooLate));
      client.blocked = { end: (reply = tooLate) => answer(reply) };
    });
  }

  /** Gives what has come to those who wait for it. */
  serve(): void {
    for (const key of this.#ready) {
      this.#ready.delete(key);
      for (const waiter of this.#waiting.get(key)?.waiters ?? []) {
        try {
          const reply = waiter.serve(key);
          if (reply === undefined) break;
          waiter.resolve(reply);
        } catch (error) {
          waiter.reject(error);
        }
      }
    }
    this.hasReady = false;
  }

  #add(key: string, waiter: Waiter): void {
    let at = this.#waiting.get(key);
    if (at === undefined) {
      const stop = this.#keyspace.observe(key, () => {
        // Whatever changes keys outside of a command serves by itself.
        if (!this.hasReady) queueMicrotask(() => this.serve());
        this.hasReady = true;
        this.#ready.add(key);
      });
      at = { waiters: new Set(), stop };
      this.#waiting.set(key, at);
    }
    at.waiters.add(waiter);
  }

  #remove(waiter: Waiter): void {
    for (const key of waiter.keys) {
      const at = this.#waiting.get(key);
      at?.waiters.delete(waiter);
      if (at === undefined || at.waiters.size > 0) continue;
      at.stop();
      this.#waiting.delete(key);
    }
  }
}

/** Like a timer, without its limit of 24 days. Returns how to stop it. */
function callLater(ms: number, call: () => void): () => void {
  let timer: NodeJS.Timeout;
  const start = (left: number): void => {
    timer = setTimeout(
      () => (left > longestTimerMs ? start(left - longestTimerMs) : call()),
      Math.min(left, longestTimerMs),
    );
    timer.unref();
  };
  start(ms);
  return () => clearTimeout(timer);
}
