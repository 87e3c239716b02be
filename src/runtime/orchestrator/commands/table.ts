import { aiConfig } from './ai-config.js';
import { aiInfo } from './ai-info.js';
import { client } from './client.js';
import { cluster } from './cluster.js';
import { type Command, CommandError } from './command.js';
import { config } from './config.js';
import { del, unlink } from './delete.js';
import { exists } from './exists.js';
import { hexists, hget, hgetall, hlen, hmset, hset } from './hashes.js';
import { hello, select } from './hello.js';
import { info } from './info.js';
import { dbsize, flushall, flushdb, keys, scan } from './keyspace.js';
import { llen, lrange, rpush } from './lists.js';
import { modelDelete } from './model-delete.js';
import { modelExecute } from './model-execute.js';
import { modelGet } from './model-get.js';
import { modelStore } from './model-store.js';
import { echo, ping } from './ping.js';
import { quit } from './quit.js';
import { rename } from './rename.js';
import { scriptCommands } from './scripts.js';
import { get, set } from './strings.js';
import { tensorGet } from './tensor-get.js';
import { tensorSet } from './tensor-set.js';
import { type } from './type.js';
import { arityError, keyword, latin1 } from './words.js';

/** `COMMAND [COUNT | DOCS | INFO name…]`: the table itself. */
const command: Command = {
  name: 'command',
  arity: -1,
  flags: ['fast'],
  keys: [0, 0, 0],
  run(_context, words) {
    if (words.length === 1) return commands.map(describe);
    switch (keyword(words[1])) {
      case 'COUNT':
        return commands.length;
      case 'DOCS':
        return [];
      case 'INFO':
        return words.slice(2).map((word) => {
          const found = byName.get(latin1(word).toLowerCase());
          return found === undefined ? null : describe(found);
        });
      default:
        throw new CommandError(`ERR unknown subcommand '${latin1(words[1])}'. Try COMMAND HELP.`);
    }
  },
};

/** Every command that is answered. */
export const commands: readonly Command[] = [
  ping,
  echo,
  quit,
  hello,
  select,
  client,
  command,
  info,
  config,
  cluster,
  exists,
  del,
  unlink,
  rename,
  type,
  dbsize,
  flushdb,
  flushall,
  keys,
  scan,
  get,
  set,
  hset,
  hmset,
  hget,
  hgetall,
  hexists,
  hlen,
  rpush,
  llen,
  lrange,
  tensorSet,
  tensorGet,
  modelStore,
  modelGet,
  modelDelete,
  modelExecute,
  ...scriptCommands,
  aiInfo,
  aiConfig,
];

const byName: ReadonlyMap<string, Command> = new Map(
  commands.flatMap((entry) => [[entry.name, entry] as const, [entry.name.toUpperCase(), entry] as const]),
);

/** The command that a request asks for, its number of words checked. @throws CommandError with Redis's texts */
export function commandOf(words: readonly Buffer[]): Command {
  const name = latin1(words[0]);
  const found = byName.get(name) ?? byName.get(name.toLowerCase());
  if (found === undefined) throw unknown(words);
  const enough = found.arity > 0 ? words.length === found.arity : words.length >= -found.arity;
  if (!enough) throw arityError(found.name);
  return found;
}

function describe({ name, arity, flags, keys: range }: Command) {
  return [name, arity, flags, ...range, [], [], [], []];
}

/** Redis quotes at most 128 bytes of the name and of the words together. */
function unknown(words: readonly Buffer[]): CommandError {
  let quoted = '';
  for (const word of words.slice(1)) {
    if (quoted.length >= 128) break;
    quoted += `'${latin1(word).slice(0, 128 - quoted.length)}' `;
  }
  return new CommandError(
    `ERR unknown command '${latin1(words[0]).slice(0, 128)}', with args beginning with: ${quoted}`,
  );
}
