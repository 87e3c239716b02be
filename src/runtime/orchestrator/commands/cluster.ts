import { slotCount, slotOf } from '../../slots.js';
import { MapReply, type Reply, VerbatimReply } from '../resp/reply.js';
import { type Command, CommandError } from './command.js';
import { arityError, keyword, latin1, rangeInteger } from './words.js';

const lastSlot = slotCount - 1;
const infoText = [
  'cluster_enabled:1',
  'cluster_state:ok',
  'cluster_slots_assigned:16384',
  'cluster_slots_ok:16384',
  'cluster_slots_pfail:0',
  'cluster_slots_fail:0',
  'cluster_known_nodes:1',
  'cluster_size:1',
  'cluster_current_epoch:1',
  'cluster_my_epoch:1',
  '',
].join('\r\n');

/**
 * `CLUSTER SLOTS | SHARDS | NODES | INFO | MYID | KEYSLOT key | COUNTKEYSINSLOT slot`: a cluster of one, so that clients left at `SR_DB_TYPE=Clustered` find all slots
 * where they have connected to.
 */
export const cluster: Command = {
  name: 'cluster',
  arity: -2,
  flags: ['admin'],
  keys: [0, 0, 0],
  run({ client, server, keyspace }, words) {
    const { host, port } = client.reachedAt ?? { host: '127.0.0.1', port: server.port() };
    switch (keyword(words[1])) {
      case 'SLOTS':
        return [[0, lastSlot, [host, port, server.runId, []]]];
      case 'SHARDS':
        return [shardReply(server.runId, host, port)];
      case 'NODES':
        // The second port is where nodes of a cluster talk with each other: there is none.
        return new VerbatimReply(`${server.runId} ${host}:${port}@0 myself,master - 0 0 1 connected 0-${lastSlot}\n`);
      case 'KEYSLOT':
        if (words.length !== 3) throw arityError('cluster|keyslot');
        return slotOf(words[2] as Buffer);
      case 'COUNTKEYSINSLOT': {
        if (words.length !== 3) throw arityError('cluster|countkeysinslot');
        const slot = rangeInteger(words[2]);
        if (slot < 0 || slot > lastSlot) throw new CommandError('ERR Invalid slot');
        let found = 0;
        for (const key of keyspace.keys()) if (slotOf(Buffer.from(key, 'latin1')) === slot) found += 1;
        return found;
      }
      case 'MYID':
        return server.runId;
      case 'INFO':
        return new VerbatimReply(infoText);
      default:
        throw new CommandError(`ERR unknown subcommand '${latin1(words[1])}'. Try CLUSTER HELP.`);
    }
  },
};

function shardReply(id: string, host: string, port: number): Reply {
  const node = ['id', id, 'port', port, 'ip', host, 'endpoint', host, 'role', 'master'];
  return new MapReply([
    'slots',
    [0, lastSlot],
    'nodes',
    [new MapReply([...node, 'replication-offset', 0, 'health', 'online'])],
  ]);
}
