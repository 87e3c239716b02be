import { slotOf } from '../../../../src/runtime/slots.js';
import type { ClusterShard } from '../../../../src/runtime/supervisor/cluster-layout.js';
import { encode, RawClient, rawReply } from '../../orchestrator/support/raw-client.js';

export type Word = string | Buffer;

/** A client of a cluster that sends each command where its keys are, and gives replies as they come. */
export class ShardRouter {
  readonly #shards: readonly ClusterShard[];
  readonly #clients: RawClient[];

  private constructor(shards: readonly ClusterShard[], clients: RawClient[]) {
    this.#shards = shards;
    this.#clients = clients;
  }

  static async connect(shards: readonly ClusterShard[]): Promise<ShardRouter> {
    return new ShardRouter(shards, await Promise.all(shards.map(({ port }) => RawClient.connect({ port }))));
  }

  /** Names of the keys of a command, as the server tells them; none if it has none. */
  async keysOf(words: readonly Word[]): Promise<string[]> {
    if (words.length === 1) return [];
    const reply = await this.sendTo(0, ['COMMAND', 'GETKEYS', ...words]);
    if (reply.startsWith('-ERR The command has no key arguments')) return [];
    if (!reply.startsWith('*')) throw new Error(`the keys of ${words.join(' ')}: ${reply}`);
    return namesIn(reply);
  }

  /** Position of the shard that has a key. */
  shardOf(key: string): number {
    const slot = slotOf(key);
    return this.#shards.findIndex(({ first, last }) => first <= slot && slot <= last);
  }

  /** Keys that a shard holds. */
  async keysAt(shard: number): Promise<string[]> {
    return namesIn(await this.sendTo(shard, ['KEYS', '*']));
  }

  /** Sends a command to a shard, wherever its keys are. */
  async sendTo(shard: number, words: readonly Word[]): Promise<string> {
    const client = this.#clients[shard] as RawClient;
    await client.write(encode(...words));
    return rawReply(client);
  }

  /** Takes a new connection to a shard. */
  async reconnect(shard: number): Promise<void> {
    this.#clients[shard]?.destroy();
    this.#clients[shard] = await RawClient.connect({ port: this.#shards[shard]?.port ?? 0 });
  }

  close(): void {
    for (const client of this.#clients) client.destroy();
  }
}

/** The texts in an array of them. */
function namesIn(reply: string): string[] {
  return reply
    .split('\r\n')
    .slice(1, -1)
    .filter((_, at) => at % 2 === 1);
}
