import { ok } from '../resp/reply.js';
import { type Command, CommandError } from './command.js';
import { integer } from './words.js';

/** `HELLO [2]`: only RESP2 is spoken; asking for 3 is answered so that clients fall back. */
export const hello: Command = {
  name: 'hello',
  arity: -1,
  flags: ['fast'],
  keys: [0, 0, 0],
  run({ client, server }, words) {
    client.introduced = true;
    if (words.length > 1) {
      const version = integer(words[1]);
      if (version === undefined) throw new CommandError('ERR Protocol version is not an integer or out of range');
      if (version !== 2) throw new CommandError('NOPROTO unsupported protocol version');
      if (words.length > 2) throw new CommandError('ERR this orchestrator has neither users nor passwords');
    }
    return [
      'server',
      'simwright',
      'version',
      server.version,
      'proto',
      2,
      'id',
      client.id,
      'mode',
      'standalone',
      'role',
      'master',
      'modules',
      [],
    ];
  },
};

/** `SELECT 0` */
export const select: Command = {
  name: 'select',
  arity: 2,
  flags: ['fast'],
  keys: [0, 0, 0],
  run(_context, words) {
    const index = integer(words[1]);
    if (index === undefined) throw new CommandError('ERR value is not an integer or out of range');
    if (index !== 0) throw new CommandError('ERR DB index is out of range');
    return ok;
  },
};
