import { clientSlotOf, shardPrefix } from '../slots.js';
import { ClientError } from './client-error.js';
import { Connection, type Word } from './connection.js';
import type { ClientSettings, StoreAddress } from './settings.js';

/** One server, with what it holds of a cluster. */
export class Shard {
  /** `host:port` or `unix://PATH`. */
  readonly address: string;
  readonly lastSlot: number;
  /** Prefix of the names of models and scripts; undefined if there is no cluster. */
  readonly #prefix: Buffer | undefined;
  readonly #open: () => Promise<Connection>;
  #connection: Promise<Connection> | undefined;

  /** `connection` is one that is open already. */
  constructor(
    address: string,
    slots: readonly [number, number] | undefined,
    open: () => Promise<Connection>,
    connection?: Connection,
  ) {
    this.address = address;
    this.lastSlot = slots?.[1] ?? Number.POSITIVE_INFINITY;
    this.#prefix = slots === undefined ? undefined : shardPrefix(slots[0]);
    this.#open = open;
    if (connection !== undefined) this.#connection = Promise.resolve(connection);
  }

  /** @throws ClientError */
  async send(...words: Word[]): Promise<unknown> {
    this.#connection ??= this.#open();
    try {
      return await (await this.#connection).send(...words);
    } catch (error) {
      // The next call tries again to open it.
      await this.#connection?.catch(() => {
        this.#connection = undefined;
      });
      throw error;
    }
  }

  /** Sends all before the first reply is read. @throws ClientError of the first that failed */
  async sendAll(commands: readonly (readonly Word[])[]): Promise<unknown[]> {
    const replies = await Promise.allSettled(commands.map((words) => this.send(...words)));
    return replies.map((reply) => {
      if (reply.status === 'rejected') throw reply.reason;
      return reply.value;
    });
  }

  /** The key of a model or script on this shard. */
  modelKey(key: string): Word {
    return this.#prefix === undefined ? key : this.keyHere(key);
  }

  /** A key of its own that lies on this shard. */
  keyHere(key: string): Buffer {
    return Buffer.concat([Buffer.from('{'), this.#prefix ?? Buffer.alloc(0), Buffer.from('}.'), Buffer.from(key)]);
  }

  async close(): Promise<void> {
    await (await this.#connection?.catch(() => undefined))?.close();
  }
}

/** All servers of a store. */
export class Shards {
  /** In the order of their slots. */
  readonly all: readonly Shard[];
  readonly first: Shard;
  /** True if keys are named as in a cluster. */
  readonly clustered: boolean;

  private constructor(all: readonly Shard[], clustered: boolean) {
    const [first] = all;
    if (first === undefined) throw new ClientError('the store has no servers');
    this.all = all;
    this.first = first;
    this.clustered = clustered;
  }

  /** Connects to one of the addresses and finds the others. @throws ClientError */
  static async open(settings: ClientSettings): Promise<Shards> {
    const address = settings.addresses[Math.floor(Math.random() * settings.addresses.length)] as StoreAddress;
    const connection = await Connection.open(address, settings);
    try {
      const nodes = settings.clustered && !('path' in address) ? await nodesOf(connection) : undefined;
      const again = (): Promise<Connection> => Connection.open(address, settings);
      if (nodes === undefined) return new Shards([new Shard(textOf(address), undefined, again, connection)], false);
      const [node] = nodes;
      if (nodes.length === 1 && node !== undefined) {
        return new Shards([new Shard(textOf(address), node.slots, again, connection)], true);
      }
      await connection.close();
      return new Shards(
        nodes.map(
          ({ host, port, slots }) =>
            new Shard(`${host}:${port}`, slots, () => Connection.open({ host, port }, settings)),
        ),
        true,
      );
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** True if there is more than one server. */
  get several(): boolean {
    return this.all.length > 1;
  }

  /** The shard that holds the key, where all clients look for it. */
  of(key: string | Buffer): Shard {
    if (!this.several) return this.first;
    const slot = clientSlotOf(key);
    return this.all.find(({ lastSlot }) => slot <= lastSlot) ?? this.first;
  }

  /** The shard at that address, the first one without. @throws ClientError */
  at(address: string | undefined): Shard {
    if (address === undefined) return this.first;
    const plain = address.replace(/^tcp:\/\//, '');
    const found = this.all.find((shard) => shard.address === plain);
    if (found !== undefined) return found;
    const known = this.all.map((shard) => shard.address).join(', ');
    throw new ClientError(`no server of this store has the address ${address}; they are ${known}`);
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((shard) => shard.close()));
  }
}

interface Node {
  readonly host: string;
  readonly port: number;
  readonly slots: readonly [number, number];
}

/** The nodes that `CLUSTER SLOTS` names, by slots; undefined where there is no cluster. @throws ClientError */
async function nodesOf(connection: Connection): Promise<Node[] | undefined> {
  let reply: unknown;
  try {
    reply = await connection.send('CLUSTER', 'SLOTS');
  } catch {
    return undefined;
  }
  if (!Array.isArray(reply) || reply.length === 0) return undefined;
  const nodes = reply.map((entry: unknown) => {
    const [first, last, master] = Array.isArray(entry) ? (entry as unknown[]) : [];
    const [host, port] = Array.isArray(master) ? (master as unknown[]) : [];
    if (typeof first !== 'number' || typeof last !== 'number' || typeof port !== 'number' || !Buffer.isBuffer(host)) {
      throw new ClientError('the server gives no usable CLUSTER SLOTS');
    }
    return { host: String(host), port, slots: [first, last] as const };
  });
  return nodes.sort((one, other) => one.slots[0] - other.slots[0]);
}

function textOf(address: StoreAddress): string {
  return 'path' in address ? `unix://${address.path}` : `${address.host}:${address.port}`;
}
