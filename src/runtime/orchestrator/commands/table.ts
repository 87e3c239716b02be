import { MapReply, type Reply, SetReply, SimpleString } from '../resp/reply.js';
import { aiConfig } from './ai-config.js';
import { aiInfo } from './ai-info.js';
import { client } from './client.js';
import { cluster } from './cluster.js';
import { type Command, CommandError } from './command.js';
import { config } from './config.js';
import { copy } from './copy.js';
import { dagCommands } from './dag.js';
import { del, unlink } from './delete.js';
import { exists, touch } from './exists.js';
import { expiryCommands } from './expiry.js';
import { hashFields } from './hash-fields.js';
import { hdel, hexists, hget, hgetall, hkeys, hlen, hmget, hmset, hset, hvals } from './hashes.js';
import { info } from './info.js';
import { dbsize, flushall, flushdb, keys, scan } from './keyspace.js';
import { linsert, lrem, lset, ltrim } from './list-changes.js';
import { listMoves } from './list-moves.js';
import { lpos } from './list-search.js';
import { lindex, llen, lpop, lpush, lpushx, lrange, rpop, rpush, rpushx } from './lists.js';
import { memory } from './memory.js';
import { modelDelete } from './model-delete.js';
import { modelExecute } from './model-execute.js';
import { modelGet } from './model-get.js';
import { modelRun } from './model-run.js';
import { modelSet } from './model-set.js';
import { modelStore } from './model-store.js';
import { object } from './object.js';
import { echo, ping } from './ping.js';
import { quit } from './quit.js';
import { randomkey } from './random-key.js';
import { rename, renamenx } from './rename.js';
import { bgsave, lastsave, save, shutdown } from './save.js';
import { modelScan, scriptScan } from './scans.js';
import { scriptExecute, scriptRun } from './script-run.js';
import { scriptDelete, scriptGet, scriptSet, scriptStore } from './scripts.js';
import { serverCommands } from './server-role.js';
import { auth, hello, module, reset, select } from './session.js';
import { stringExchanges } from './string-exchanges.js';
import { stringRanges } from './string-ranges.js';
import { append, counters, get, getdel, mget, mset, psetex, set, setex, setnx, strlen } from './strings.js';
import { tensorGet } from './tensor-get.js';
import { tensorSet } from './tensor-set.js';
import { transactionCommands } from './transactions.js';
import { type } from './type.js';
import { arityError, keyword, latin1 } from './words.js';

/** `COMMAND [COUNT | DOCS | LIST | INFO name…]`: the table itself. */
const command: Command = {
  name: 'command',
  arity: -1,
  flags: ['fast'],
  keys: [0, 0, 0],
  run({ client: self }, words) {
    self.introduced = true;
    if (words.length === 1) return commands.map(describe);
    switch (keyword(words[1])) {
      case 'COUNT':
        return commands.length;
      case 'DOCS':
        return new MapReply([]);
      case 'LIST':
        return commands.map(({ name }) => name);
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
  auth,
  reset,
  select,
  ...transactionCommands,
  client,
  command,
  info,
  config,
  cluster,
  module,
  ...serverCommands,
  exists,
  touch,
  del,
  unlink,
  rename,
  renamenx,
  type,
  dbsize,
  flushdb,
  flushall,
  keys,
  scan,
  copy,
  randomkey,
  memory,
  object,
  save,
  bgsave,
  lastsave,
  shutdown,
  ...expiryCommands,
  get,
  set,
  setnx,
  setex,
  psetex,
  getdel,
  mget,
  mset,
  strlen,
  append,
  ...counters,
  ...stringExchanges,
  ...stringRanges,
  hset,
  hmset,
  hget,
  hmget,
  hgetall,
  hkeys,
  hvals,
  hdel,
  hexists,
  hlen,
  ...hashFields,
  rpush,
  lpush,
  rpushx,
  lpushx,
  rpop,
  lpop,
  lindex,
  llen,
  lrange,
  lrem,
  ltrim,
  lset,
  linsert,
  lpos,
  ...listMoves,
  tensorSet,
  tensorGet,
  modelStore,
  modelSet,
  modelGet,
  modelDelete,
  modelExecute,
  modelRun,
  modelScan,
  scriptStore,
  scriptSet,
  scriptGet,
  scriptDelete,
  scriptExecute,
  scriptRun,
  scriptScan,
  ...dagCommands,
  aiInfo,
  aiConfig,
];

const byName: ReadonlyMap<string, Command> = new Map(
  commands.flatMap((entry) => [[entry.name, entry] as const, [entry.name.toUpperCase(), entry] as const]),
);

/** The command that a request asks for, its number of words checked. @throws CommandError with Redis's texts */
export function commandOf(words: readonly Buffer[]): Command {
  const name = latin1(beginning(words[0]));
  const found = byName.get(name) ?? byName.get(name.toLowerCase());
  if (found === undefined) throw unknown(words);
  const enough = found.arity > 0 ? words.length === found.arity : words.length >= -found.arity;
  if (!enough) throw arityError(found.name);
  return found;
}

/** True if a late reply to the request may come nested in arrays. */
export function mayNest(words: readonly Buffer[]): boolean {
  const name = latin1(beginning(words[0]));
  return (byName.get(name) ?? byName.get(name.toLowerCase()))?.mayNest === true;
}

/** Positions of a request's keys, even if it does not have as many words as it should. */
export function keysOf(words: readonly Buffer[]): Command['keys'] {
  const name = latin1(words[0]);
  return (byName.get(name) ?? byName.get(name.toLowerCase()))?.keys ?? [0, 0, 0];
}

function describe({ name, arity, flags, keys: range }: Command): Reply {
  const statuses = new SetReply(flags.map((flag) => new SimpleString(flag)));
  return [name, arity, statuses, ...range, new SetReply([]), [], [], []];
}

/** As much of a word as is told of it. */
function beginning(word: Buffer | undefined): Buffer | undefined {
  return word === undefined || word.length <= 256 ? word : word.subarray(0, 256);
}

/** Redis quotes at most 128 bytes of the name and of the words together. */
function unknown(words: readonly Buffer[]): CommandError {
  let quoted = '';
  for (const word of words.slice(1)) {
    if (quoted.length >= 128) break;
    quoted += `'${latin1(beginning(word)).slice(0, 128 - quoted.length)}' `;
  }
  return new CommandError(
    `ERR unknown command '${latin1(beginning(words[0])).slice(0, 128)}', with args beginning with: ${quoted}`,
  );
}
