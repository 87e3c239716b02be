import { Connection } from '../client/connection.js';
import { readSettings } from '../client/settings.js';
import { thisHost } from '../job/job-environment.js';
import { isAlive } from '../job/process-identity.js';
import { linkName } from '../launch/meet-stores.js';
import type { LaunchEvent } from '../status/index.js';

/** Milliseconds that a launch may be without its connection: it makes another when one breaks. */
const absentMs = 15_000;

/** Tells which launches of other jobs have gone without a word, by the connections that they keep to the store. */
export class ConnectionWatch {
  readonly #address: string;
  /** When each name was last in the list of the store's clients, by this process's clock. */
  readonly #seen = new Map<string, number>();
  #lastLook = 0;
  #store: Connection | undefined;

  constructor(address: string) {
    this.#address = address;
  }

  /** Asks the store who is connected. One that does not answer, since it is being started again say, tells nothing. */
  async refresh(): Promise<void> {
    try {
      this.#store ??= await this.#connect();
      const list = String(await this.#store.send('CLIENT', 'LIST'));
      this.#lastLook = performance.now();
      for (const [, name] of list.matchAll(/ name=(launch\/\S+)/g)) this.#seen.set(name ?? '', this.#lastLook);
    } catch {
      await this.#store?.close();
      this.#store = undefined;
      // Whoever has lost the store needs time to find it again.
      for (const name of this.#seen.keys()) this.#seen.set(name, performance.now());
    }
  }

  /** True if a launch was connected and is not any more, or ran on this host and does not any more. */
  readonly isGone = (launch: LaunchEvent): boolean => {
    if (launch.host === thisHost()) return !isAlive(launch);
    const seen = this.#seen.get(linkName(launch, { name: launch.entity }, launch.pid));
    return seen !== undefined && this.#lastLook - seen > absentMs;
  };

  close(): void {
    void this.#store?.close();
  }

  async #connect(): Promise<Connection> {
    const settings = readSettings({ SSDB: this.#address, SR_CONN_TIMEOUT: '0', SR_CMD_TIMEOUT: '0' });
    const [place] = settings.addresses;
    if (place === undefined) throw new Error('the store has no address');
    return Connection.open(place, settings);
  }
}
