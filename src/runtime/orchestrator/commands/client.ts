import { ErrorReply, ok, VerbatimReply } from '../resp/reply.js';
import { type ClientFacts, type Command, type CommandContext, CommandError } from './command.js';
import { clientName } from './session.js';
import { arityError, integer, keyword, latin1, rangeInteger } from './words.js';

/** `CLIENT ID | GETNAME | SETNAME | SETINFO | INFO | LIST | KILL | UNBLOCK | NO-EVICT` */
export const client: Command = {
  name: 'client',
  arity: -2,
  flags: ['fast'],
  keys: [0, 0, 0],
  run(context, words) {
    const { client: self, server } = context;
    self.introduced = true;
    switch (keyword(words[1])) {
      case 'ID':
        return self.id;
      case 'GETNAME':
        return self.name.length === 0 ? null : self.name;
      case 'SETNAME': {
        if (words.length !== 3) throw arityError('client|setname');
        self.name = clientName(words[2]);
        return ok;
      }
      case 'SETINFO':
        if (words.length !== 4) throw arityError('client|setinfo');
        return ok;
      case 'INFO':
        return new VerbatimReply(lineOf(self));
      case 'LIST': {
        const clients = words.length > 2 ? listOf(context, words) : server.clients();
        return new VerbatimReply(clients.map(lineOf).join(''));
      }
      case 'UNBLOCK':
        return unblock(context, words);
      case 'NO-EVICT':
        // No client is ever thrown out to make room.
        if (words.length !== 3) throw arityError('client|no-evict');
        if (!['ON', 'OFF'].includes(keyword(words[2]))) throw new CommandError('ERR syntax error');
        return ok;
      case 'KILL':
        return kill(context, words);
      default:
        throw new CommandError(`ERR unknown subcommand '${latin1(words[1])}'. Try CLIENT HELP.`);
    }
  },
};

function lineOf(facts: ClientFacts): string {
  const { id, peer, reachedAt, name, connectedAtMs, transaction, monitors, blocked, protocol } = facts;
  const at = reachedAt === undefined ? '' : ` laddr=${reachedAt.host}:${reachedAt.port}`;
  const flags = `${monitors ? 'O' : ''}${transaction === undefined ? '' : 'x'}${blocked === undefined ? '' : 'b'}`;
  const age = Math.floor((Date.now() - connectedAtMs) / 1000);
  return `id=${id} addr=${peer}${at} name=${latin1(name)} age=${age} flags=${flags === '' ? 'N' : flags} db=0 multi=${transaction?.commands.length ?? -1} user=default resp=${protocol}\n`;
}

/** `CLIENT LIST ID id…` */
function listOf({ server }: CommandContext, words: readonly Buffer[]): ClientFacts[] {
  if (keyword(words[2]) !== 'ID' || words.length < 4) throw new CommandError('ERR syntax error');
  const ids = words.slice(3).map((word) => {
    const id = integer(word);
    if (id === undefined || id < 1) throw new CommandError('ERR Invalid client ID');
    return id;
  });
  return server.clients().filter(({ id }) => ids.includes(id));
}

/** `CLIENT UNBLOCK id [TIMEOUT | ERROR]`: ends a command that waits, as if its time were over or with an error. */
function unblock({ server }: CommandContext, words: readonly Buffer[]): number {
  const mode = words.length === 4 ? keyword(words[3]) : 'TIMEOUT';
  if (words.length < 3 || words.length > 4) throw arityError('client|unblock');
  if (mode !== 'TIMEOUT' && mode !== 'ERROR') {
    throw new CommandError('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR');
  }
  const wanted = rangeInteger(words[2]);
  const blocked = server.clients().find(({ id }) => id === wanted)?.blocked;
  if (mode === 'TIMEOUT') blocked?.end();
  else blocked?.end(new ErrorReply('UNBLOCKED client unblocked via CLIENT UNBLOCK'));
  return blocked === undefined ? 0 : 1;
}

/** `CLIENT KILL addr` or `CLIENT KILL [ID id] [ADDR addr]…` */
function kill({ client: self, server }: CommandContext, words: readonly Buffer[]) {
  const end = (killed: ClientFacts): void => {
    if (killed === self) self.quitting = true;
    else server.kill(killed);
  };
  if (words.length === 3) {
    const found = server.clients().find(({ peer }) => peer === latin1(words[2]));
    if (found === undefined) throw new CommandError('ERR No such client');
    end(found);
    return ok;
  }
  if (words.length < 3) throw arityError('client|kill');
  let found = server.clients().filter((each) => each !== self);
  for (let at = 2; at < words.length; at += 2) {
    const word = words[at + 1];
    if (word === undefined) throw new CommandError('ERR syntax error');
    const option = keyword(words[at]);
    if (option === 'ID') {
      const wanted = integer(word);
      if (wanted === undefined || wanted < 1) throw new CommandError('ERR client-id should be greater than 0');
      found = found.filter(({ id }) => id === wanted);
    } else if (option === 'ADDR') {
      found = found.filter(({ peer }) => peer === latin1(word));
    } else throw new CommandError('ERR syntax error');
  }
  for (const each of found) end(each);
  return found.length;
}
