import { ok } from '../resp/reply.js';
import { type Command, CommandError } from './command.js';
import { keyword, latin1 } from './words.js';

/** `CLIENT ID | GETNAME | SETNAME | SETINFO | INFO | LIST` of the connection itself. */
export const client: Command = {
  name: 'client',
  arity: -2,
  flags: ['fast'],
  keys: [0, 0, 0],
  run({ client: self }, words) {
    const line = `id=${self.id} addr=${self.peer} name=${latin1(self.name)}\n`;
    switch (keyword(words[1])) {
      case 'ID':
        return self.id;
      case 'GETNAME':
        return self.name.length === 0 ? null : self.name;
      case 'SETNAME': {
        if (words.length !== 3) throw new CommandError("ERR wrong number of arguments for 'client|setname' command");
        const name = words[2] as Buffer;
        if (!name.every((byte) => byte > 32 && byte < 127)) {
          throw new CommandError('ERR Client names cannot contain spaces, newlines or special characters.');
        }
        self.name = Buffer.from(name);
        return ok;
      }
      case 'SETINFO':
        if (words.length !== 4) throw new CommandError("ERR wrong number of arguments for 'client|setinfo' command");
        return ok;
      case 'INFO':
      case 'LIST':
        return line;
      default:
        throw new CommandError(`ERR unknown subcommand '${latin1(words[1])}'. Try CLIENT HELP.`);
    }
  },
};
