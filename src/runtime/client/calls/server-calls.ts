import { ClientError } from '../client-error.js';
import { infoOf } from '../info.js';
import { ModelCalls } from './model-calls.js';

/** What a server says of itself, by section and name. */
export type ServerInfo = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Calls about the servers themselves. An address is one of {@link ServerCalls.addresses}; without one the first is asked. */
export abstract class ServerCalls extends ModelCalls {
  /** Where the servers of the store are: `host:port` or `unix://PATH`. */
  get addresses(): string[] {
    return this.shards.all.map(({ address }) => address);
  }

  /** What a server says of itself: `info.Memory.used_memory`. */
  async info(address?: string): Promise<ServerInfo> {
    return infoOf(String(await this.shards.at(address).send('INFO', 'EVERYTHING')));
  }

  /** What a server says of its cluster: `cluster_state` and more. */
  async clusterInfo(address?: string): Promise<Readonly<Record<string, string>>> {
    if (!this.shards.clustered) throw new ClientError('the store is no cluster');
    const text = String(await this.shards.at(address).send('CLUSTER', 'INFO'));
    return infoOf(`# all\r\n${text}`)['all'] ?? {};
  }

  /** The statistics of a model or script on a server, by RedisAI's names: `calls`, `duration` (µs), `errors` … */
  async aiInfo(name: string, address?: string): Promise<Readonly<Record<string, string>>> {
    const shard = this.shards.at(address);
    const reply = await shard.send('AI.INFO', shard.modelKey(name));
    if (!Array.isArray(reply)) throw new ClientError('the server did not answer with statistics');
    const values: Record<string, string> = {};
    for (let at = 0; at + 1 < reply.length; at += 2) values[String(reply[at])] = String(reply[at + 1]);
    return values;
  }

  /** Lets the statistics of a model or script begin anew. */
  async resetAiInfo(name: string, address?: string): Promise<void> {
    const shard = this.shards.at(address);
    await shard.send('AI.INFO', shard.modelKey(name), 'RESETSTAT');
  }

  /** Deletes everything that a server holds. */
  async flushDb(address?: string): Promise<void> {
    await this.shards.at(address).send('FLUSHDB');
  }

  /** The settings of a server whose names match; none for unknown names. */
  async configGet(pattern: string, address?: string): Promise<Readonly<Record<string, string>>> {
    const reply = await this.shards.at(address).send('CONFIG', 'GET', pattern);
    const values: Record<string, string> = {};
    const words = Array.isArray(reply) ? reply : [];
    for (let at = 0; at + 1 < words.length; at += 2) values[String(words[at])] = String(words[at + 1]);
    return values;
  }

  async configSet(name: string, value: string, address?: string): Promise<void> {
    await this.shards.at(address).send('CONFIG', 'SET', name, value);
  }

  /** Lets a server save what it holds to its file. */
  async save(address?: string): Promise<void> {
    await this.shards.at(address).send('SAVE');
  }
}
