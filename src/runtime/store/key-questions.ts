import { Connection } from '../client/connection.js';
import { readSettings } from '../client/settings.js';

/** Answers, beside the store itself, where only its own node reaches it: launches elsewhere ask here for the keys that they wait for. */
export class KeyQuestions {
  readonly #address: string;
  #store: Promise<Connection> | undefined;

  constructor(address: string) {
    this.#address = address;
  }

  /** True if the key exists. */
  readonly exists = async (key: string): Promise<boolean> => {
    this.#store ??= this.#connect();
    return Number(await (await this.#store).send('EXISTS', key)) > 0;
  };

  async close(): Promise<void> {
    await (await this.#store?.catch(() => undefined))?.close();
  }

  async #connect(): Promise<Connection> {
    const settings = readSettings({ SSDB: this.#address, SR_CONN_TIMEOUT: '0' });
    const [place] = settings.addresses;
    if (place === undefined) throw new Error('the store has no address');
    return Connection.open(place, settings);
  }
}
