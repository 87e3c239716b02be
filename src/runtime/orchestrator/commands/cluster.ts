import { type Command, CommandError } from './command.js';
import { keyword, latin1 } from './words.js';

const lastSlot = 16383;

/**
 * `CLUSTER SLOTS | INFO | MYID`: a cluster of one, so that clients left at `SR_DB_TYPE=Clustered` find all slots
 * where they have connected to.
 */
export const cluster: Command = {
  name: 'cluster',
  arity: -2,
  flags: ['admin'],
  keys: [0, 0, 0],
  run({ client, server }, words) {
    const { host, port } = client.reachedAt ?? { host: '127.0.0.1', port: server.port() };
    switch (keyword(words[1])) {
      case 'SLOTS':
        return [[0, lastSlot, [host, port, server.runId, []]]];
      case 'MYID':
        return server.runId;
      case 'INFO':
        return [
          'cluster_enabled:0',
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
      default:
        throw new CommandError(`ERR unknown subcommand '${latin1(words[1])}'. Try CLUSTER HELP.`);
    }
  },
};
