import { MapReply, ok, SimpleString } from '../resp/reply.js';
import { type ClientFacts, forgetTransaction } from './client-facts.js';
import { type Command, CommandError } from './command.js';
import { integer, keyword, latin1 } from './words.js';

/** Version of Redis whose commands and replies these are. */
export const redisVersion = '7.0.15';

/** RedisAI's, by which its clients know it: as HELLO, MODULE LIST and INFO tell it. */
export const aiModule = { name: 'ai', version: 10_207 };

const moduleReply = new MapReply(['name', aiModule.name, 'ver', aiModule.version, 'path', '', 'args', []]);

/** `MODULE LIST` */
export const module: Command = {
  name: 'module',
  arity: -2,
  flags: ['admin'],
  keys: [0, 0, 0],
  run(_context, words) {
    if (keyword(words[1]) !== 'LIST') {
      throw new CommandError(`ERR unknown subcommand '${latin1(words[1])}'. Try MODULE HELP.`);
    }
    return [moduleReply];
  },
};

/** `HELLO [version [AUTH user password] [SETNAME name]]` */
export const hello: Command = {
  name: 'hello',
  arity: -1,
  flags: ['fast'],
  keys: [0, 0, 0],
  run({ client }, words) {
    const { protocol = client.protocol, name = client.name } = words.length > 1 ? helloOptions(words) : {};
    client.introduced = true;
    client.protocol = protocol;
    client.name = name;
    return new MapReply([
      'server',
      'redis',
      'version',
      redisVersion,
      'proto',
      protocol,
      'id',
      client.id,
      'mode',
      'standalone',
      'role',
      'master',
      'modules',
      [moduleReply],
    ]);
  },
};

function helloOptions(words: readonly Buffer[]): Partial<Pick<ClientFacts, 'protocol' | 'name'>> {
  const version = integer(words[1]);
  if (version === undefined) throw new CommandError('ERR Protocol version is not an integer or out of range');
  if (version !== 2 && version !== 3) throw new CommandError('NOPROTO unsupported protocol version');
  let name: Buffer | undefined;
  for (let at = 2; at < words.length; ) {
    const option = keyword(words[at]);
    if (option === 'AUTH' && at + 2 < words.length) {
      checkUser(words[at + 1]);
      at += 3;
    } else if (option === 'SETNAME' && at + 1 < words.length) {
      name = clientName(words[at + 1]);
      at += 2;
    } else throw new CommandError(`ERR Syntax error in HELLO option '${latin1(words[at])}'`);
  }
  return { protocol: version, ...(name !== undefined && { name }) };
}

/** The only user has any password: who is served is decided when a connection is made. */
function checkUser(word: Buffer | undefined): void {
  if (latin1(word) === 'default') return;
  throw new CommandError('WRONGPASS invalid username-password pair or user is disabled.');
}

/** A name of a connection. @throws CommandError */
export function clientName(word: Buffer | undefined): Buffer {
  const name = Buffer.from(word ?? '');
  if (name.every((byte) => byte > 32 && byte < 127)) return name;
  throw new CommandError('ERR Client names cannot contain spaces, newlines or special characters.');
}

/** `AUTH [user] password` */
export const auth: Command = {
  name: 'auth',
  arity: -2,
  flags: ['fast'],
  keys: [0, 0, 0],
  run({ client }, words) {
    if (words.length > 3) throw new CommandError('ERR syntax error');
    if (words.length === 2) {
      throw new CommandError(
        'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
      );
    }
    checkUser(words[1]);
    client.introduced = true;
    return ok;
  },
};

/** `RESET`: the connection is as if it had just been made. */
export const reset: Command = {
  name: 'reset',
  arity: 1,
  flags: ['fast'],
  keys: [0, 0, 0],
  inTransaction: 'runs',
  run({ client, server }) {
    forgetTransaction(client);
    server.monitors.delete(client);
    client.name = Buffer.alloc(0);
    client.protocol = 2;
    return new SimpleString('RESET');
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
