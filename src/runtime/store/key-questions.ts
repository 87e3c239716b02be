import { Connection } from '../client/connection.js';
import { readSettings } from '../client/settings.js';

/** Answers, beside the store itself, where only its own node reaches it: launches elsewhere ask here for the keys that they wait for. */
export class KeyQuestions {
  readonly #addresses: () => readonly string[];
  readonly #servers = new Map<string, Promise<Connection>>();

  /** `addresses` gives those of the store's servers on this node, as they are at the moment. */
  constructor(addresses: () => readonly string[]) {
    this.#addresses = addresses;
  }

  /** True if the key exists on one of the servers here. */
  readonly exists = async (key: string): Promise<boolean> => {
    const found = await Promise.all(this.#addresses().map((address) => this.#has(address, key)));
    return found.includes(true);
  };

  async close(): Promise<void> {
    await Promise.all(
      [...this.#servers.values()].map(async (server) => (await server.catch(() => undefined))?.close()),
    );
  }

  /** False where the server has not the key, or not its slot. */
  async #has(address: string, key: string): Promise<boolean> {
    const server = this.#servers.get(address) ?? connect(address);
    this.#servers.set(address, server);
    try {
      return Number(await (await server).send('EXISTS', key)) > 0;
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('MOVED ')) return false;
      this.#servers.delete(address);
      void server.then((opened) => opened.close()).catch(() => undefined);
      throw error;
    }
  }
}

async function connect(address: string): Promise<Connection> {
  const settings = readSettings({ SSDB: address, SR_CONN_TIMEOUT: '0' });
  const [place] = settings.addresses;
  if (place === undefined) throw new Error('the store has no address');
  return Connection.open(place, settings);
}
