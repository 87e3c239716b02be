import { connect, createServer, type Server, type Socket } from 'node:net';
import { RequestDecoder } from '../../../../src/runtime/orchestrator/resp/request-decoder.js';
import { encode } from '../../orchestrator/support/raw-client.js';
import { type Started, start } from '../../orchestrator/support/start.js';

/** A request that a shard got. */
export interface Recorded {
  readonly shard: number;
  readonly words: readonly Buffer[];
}

/** Several stores that together say they are a cluster, and what they were asked. */
export interface ShardFronts {
  /** Of the first shard. */
  readonly address: string;
  readonly addresses: readonly string[];
  readonly stores: readonly Started[];
  readonly recorded: Recorded[];
  stop(): Promise<void>;
}

const slotsRequest = encode('CLUSTER', 'SLOTS');

/** Starts a store for each range of slots, each behind a port that answers `CLUSTER SLOTS` for all of them. */
export async function startShards(ranges: readonly (readonly [number, number])[]): Promise<ShardFronts> {
  const recorded: Recorded[] = [];
  const stores = await Promise.all(ranges.map(() => start()));
  const ports: number[] = [];
  const sockets = new Set<Socket>();
  const servers = await Promise.all(
    stores.map(
      (store, shard) =>
        new Promise<Server>((resolve) => {
          const server = createServer((client) => {
            const upstream = connect(store.port, '127.0.0.1');
            const decoder = new RequestDecoder();
            sockets.add(client).add(upstream);
            client.on('data', (chunk) => {
              if (chunk.equals(slotsRequest)) {
                client.write(slotsReply(ranges, ports));
                return;
              }
              decoder.feed(Buffer.from(chunk), (words) => {
                const copies = words.map((word) => Buffer.from(word));
                if (String(words[0]) !== 'PING') recorded.push({ shard, words: copies });
              });
              upstream.write(chunk);
            });
            upstream.on('data', (chunk) => client.write(chunk));
            for (const [one, other] of [
              [client, upstream],
              [upstream, client],
            ] as const) {
              one.on('error', () => undefined).on('close', () => other.destroy());
            }
          });
          server.listen(0, '127.0.0.1', () => {
            ports[shard] = (server.address() as { port: number }).port;
            resolve(server);
          });
        }),
    ),
  );
  const addresses = ports.map((port) => `127.0.0.1:${port}`);
  return {
    address: addresses[0] ?? '',
    addresses,
    stores,
    recorded,
    async stop() {
      for (const socket of sockets) socket.destroy();
      for (const server of servers) server.close();
      await Promise.all(stores.map((store) => store.stop()));
    },
  };
}

function slotsReply(ranges: readonly (readonly [number, number])[], ports: readonly number[]): string {
  const entries = ranges.map(
    ([first, last], shard) =>
      `*3\r\n:${first}\r\n:${last}\r\n*3\r\n$9\r\n127.0.0.1\r\n:${ports[shard]}\r\n$4\r\nid-${shard}\r\n`,
  );
  return `*${entries.length}\r\n${entries.join('')}`;
}
