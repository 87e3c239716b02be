import { modelFile } from './start.js';

type Word = string | Buffer;

/** How one command is tried: what goes before it, the request, and what is to come back. */
export interface CommandRow {
  readonly before: readonly (readonly Word[])[];
  readonly request: readonly Word[];
  /** The reply to the byte, or its shape where it differs from time to time. */
  readonly reply: string | RegExp;
  /** Why Redis, which has the command, answers otherwise; it has it not if this is `null`. */
  readonly differs?: string | null;
  /** The connection is of no use for other rows afterwards. */
  readonly alone?: boolean;
  /** The connection ends after the reply. */
  readonly ends?: boolean;
}

const model = modelFile('double');
const source = 'def f(x):\n    return x\n';
const entryPoint = 'def f(tensors: List[Tensor], keys: List[str], args: List[str]):\n    return tensors\n';
const ok = '+OK\r\n';
const storeModel = ['AI.MODELSTORE', 'm', 'ONNX', 'CPU', 'TAG', 't', 'BLOB', model];
const storeScript = ['AI.SCRIPTSET', 's', 'CPU', 'TAG', 't', 'SOURCE', source];
const input = 'AI.TENSORSET x FLOAT 1 2 VALUES 1 2';
const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
const bulks = (...texts: string[]): string => `*${texts.length}\r\n${texts.map(bulk).join('')}`;

/** Requests as text, several separated by ` ; `. */
function words(text: string): string[][] {
  return text === '' ? [] : text.split(' ; ').map((each) => each.split(' '));
}

/** A command that Redis has: `reply` is what Redis 7 says, too. */
function redis(before: string, request: string, reply: string | RegExp, more: Partial<CommandRow> = {}): CommandRow {
  return { before: words(before), request: words(request)[0] ?? [], reply, ...more };
}

/** A command of RedisAI. */
function ai(before: readonly (readonly Word[] | string)[], request: string | readonly Word[], reply: string | RegExp) {
  const parsed = (each: readonly Word[] | string) => (typeof each === 'string' ? each.split(' ') : each);
  return { before: before.map(parsed), request: parsed(request), reply, differs: null } satisfies CommandRow;
}

const list = 'RPUSH l a b c';
const hash = 'HSET h f v g w';
const own = 'it tells of itself';

/** At least one row for each command, by its name. */
export const commandRows: Readonly<Record<string, CommandRow>> = {
  ping: redis('', 'PING hello', bulk('hello')),
  echo: redis('', 'ECHO hello', bulk('hello')),
  quit: redis('', 'QUIT', ok, { ends: true }),
  hello: redis('', 'HELLO 2', /^\*14\r\n\$6\r\nserver\r\n\$5\r\nredis\r\n/, { differs: own }),
  auth: redis('', 'AUTH default any', ok),
  reset: redis('', 'RESET', '+RESET\r\n'),
  multi: redis('', 'MULTI', ok, { alone: true }),
  exec: redis('MULTI ; SET a 1 ; GET a', 'EXEC', `*2\r\n${ok}${bulk('1')}`),
  discard: redis('MULTI', 'DISCARD', ok),
  watch: redis('', 'WATCH a b', ok),
  unwatch: redis('', 'UNWATCH', ok),
  module: redis('', 'MODULE LIST', /^\*1\r\n\*8\r\n\$4\r\nname\r\n\$2\r\nai\r\n/, { differs: own }),
  time: redis('', 'TIME', /^\*2\r\n\$10\r\n\d{10}\r\n\$\d\r\n\d+\r\n$/, { differs: 'it is asked at another moment' }),
  role: redis('', 'ROLE', `*3\r\n${bulk('master')}:0\r\n*0\r\n`),
  wait: redis('', 'WAIT 1 5', ':0\r\n'),
  monitor: redis('', 'MONITOR', ok, { alone: true }),
  select: redis('', 'SELECT 0', ok),
  client: redis('CLIENT SETNAME me', 'CLIENT GETNAME', bulk('me')),
  command: redis('', 'COMMAND COUNT', /^:\d+\r\n$/, { differs: 'it has fewer' }),
  info: redis('', 'INFO server', /^\$\d+\r\n# Server\r\nredis_version:[78]/, { differs: own }),
  config: redis('', 'CONFIG GET maxmemory-policy', bulks('maxmemory-policy', 'noeviction')),
  cluster: redis('', 'CLUSTER SLOTS', /^\*1\r\n\*3\r\n:0\r\n:16383\r\n\*4\r\n/, {
    differs: 'a plain Redis says that cluster support is off',
  }),
  exists: redis('SET a 1', 'EXISTS a a b', ':2\r\n'),
  del: redis('SET a 1', 'DEL a b', ':1\r\n'),
  unlink: redis('SET a 1', 'UNLINK a b', ':1\r\n'),
  touch: redis('SET a 1', 'TOUCH a a b', ':2\r\n'),
  object: redis(hash, 'OBJECT ENCODING h', bulk('listpack')),
  renamenx: redis('SET a 1', 'RENAMENX a b', ':1\r\n'),
  rename: redis('SET a 1', 'RENAME a b', ok),
  type: redis(hash, 'TYPE h', '+hash\r\n'),
  dbsize: redis('SET a 1', 'DBSIZE', ':1\r\n'),
  flushdb: redis('SET a 1', 'FLUSHDB', ok),
  flushall: redis('SET a 1', 'FLUSHALL ASYNC', ok),
  keys: redis('SET ab 1', 'KEYS a*', bulks('ab')),
  scan: redis('SET ab 1', 'SCAN 0 MATCH a* COUNT 100', `*2\r\n${bulk('0')}${bulks('ab')}`),
  copy: redis('SET a 1', 'COPY a b', ':1\r\n'),
  randomkey: redis('SET a 1', 'RANDOMKEY', bulk('a')),
  memory: redis('SET a 1', 'MEMORY USAGE a', /^:\d+\r\n$/, { differs: 'it stores otherwise' }),
  save: redis('', 'SAVE', ok),
  bgsave: redis('', 'BGSAVE SCHEDULE', '+Background saving started\r\n', {
    differs: 'it says scheduled when another one is under way',
  }),
  lastsave: redis('', 'LASTSAVE', /^:\d{10}\r\n$/, { differs: 'it was started at another time' }),
  shutdown: redis('', 'SHUTDOWN', /^-ERR this orchestrator is ended by the job/, { differs: 'it ends' }),
  expire: redis('SET a 1', 'EXPIRE a 100', ':1\r\n'),
  pexpire: redis('SET a 1', 'PEXPIRE a 100000', ':1\r\n'),
  expireat: redis('SET a 1', 'EXPIREAT a 33177117420', ':1\r\n'),
  pexpireat: redis('SET a 1', 'PEXPIREAT a 33177117420000', ':1\r\n'),
  ttl: redis('SET a 1 EX 100', 'TTL a', ':100\r\n'),
  pttl: redis('SET a 1 EX 100', 'PTTL a', /^:\d{5,6}\r\n$/, { differs: 'it is asked at another moment' }),
  expiretime: redis('SET a 1 ; EXPIREAT a 33177117420', 'EXPIRETIME a', ':33177117420\r\n'),
  pexpiretime: redis('SET a 1 ; EXPIREAT a 33177117420', 'PEXPIRETIME a', ':33177117420000\r\n'),
  persist: redis('SET a 1 EX 100', 'PERSIST a', ':1\r\n'),
  get: redis('SET a value', 'GET a', bulk('value')),
  set: redis('', 'SET a value NX', ok),
  setnx: redis('', 'SETNX a value', ':1\r\n'),
  setex: redis('', 'SETEX a 100 value', ok),
  psetex: redis('', 'PSETEX a 100000 value', ok),
  getdel: redis('SET a value', 'GETDEL a', bulk('value')),
  mget: redis('SET a value', 'MGET a b', `*2\r\n${bulk('value')}$-1\r\n`),
  mset: redis('', 'MSET a 1 b 2', ok),
  strlen: redis('SET a value', 'STRLEN a', ':5\r\n'),
  append: redis('SET a value', 'APPEND a s', ':6\r\n'),
  incr: redis('SET a 5', 'INCR a', ':6\r\n'),
  decr: redis('SET a 5', 'DECR a', ':4\r\n'),
  incrby: redis('SET a 5', 'INCRBY a 10', ':15\r\n'),
  decrby: redis('SET a 5', 'DECRBY a 10', ':-5\r\n'),
  getset: redis('SET a old', 'GETSET a new', bulk('old')),
  getex: redis('SET a value', 'GETEX a EX 100', bulk('value')),
  msetnx: redis('', 'MSETNX a 1 b 2', ':1\r\n'),
  getrange: redis('SET a value', 'GETRANGE a 1 -2', bulk('alu')),
  substr: redis('SET a value', 'SUBSTR a 1 -2', bulk('alu')),
  setrange: redis('SET a value', 'SETRANGE a 6 x', ':7\r\n'),
  hsetnx: redis(hash, 'HSETNX h new v', ':1\r\n'),
  hstrlen: redis(hash, 'HSTRLEN h f', ':1\r\n'),
  hincrby: redis('HSET h n 5', 'HINCRBY h n -7', ':-2\r\n'),
  hscan: redis(hash, 'HSCAN h 0 MATCH f', `*2\r\n${bulk('0')}${bulks('f', 'v')}`),
  hrandfield: redis('HSET h f v', 'HRANDFIELD h 2', bulks('f')),
  hset: redis('', 'HSET h f v g w', ':2\r\n'),
  hmset: redis('', 'HMSET h f v', ok),
  hget: redis(hash, 'HGET h f', bulk('v')),
  hmget: redis(hash, 'HMGET h g x', `*2\r\n${bulk('w')}$-1\r\n`),
  hgetall: redis(hash, 'HGETALL h', bulks('f', 'v', 'g', 'w')),
  hkeys: redis(hash, 'HKEYS h', bulks('f', 'g')),
  hvals: redis(hash, 'HVALS h', bulks('v', 'w')),
  hdel: redis(hash, 'HDEL h f', ':1\r\n'),
  hexists: redis(hash, 'HEXISTS h f', ':1\r\n'),
  hlen: redis(hash, 'HLEN h', ':2\r\n'),
  rpush: redis(list, 'RPUSH l d e', ':5\r\n'),
  lpush: redis(list, 'LPUSH l z', ':4\r\n'),
  rpop: redis(list, 'RPOP l 2', bulks('c', 'b')),
  lpop: redis(list, 'LPOP l', bulk('a')),
  lindex: redis(list, 'LINDEX l -1', bulk('c')),
  llen: redis(list, 'LLEN l', ':3\r\n'),
  lrange: redis(list, 'LRANGE l 0 -2', bulks('a', 'b')),
  rpushx: redis(list, 'RPUSHX l d', ':4\r\n'),
  lpushx: redis(list, 'LPUSHX l z', ':4\r\n'),
  lrem: redis(list, 'LREM l 0 b', ':1\r\n'),
  ltrim: redis(list, 'LTRIM l 1 1', ok),
  lset: redis(list, 'LSET l 1 x', ok),
  linsert: redis(list, 'LINSERT l BEFORE b x', ':4\r\n'),
  lpos: redis(list, 'LPOS l c', ':2\r\n'),
  lmove: redis(list, 'LMOVE l m LEFT RIGHT', bulk('a')),
  rpoplpush: redis(list, 'RPOPLPUSH l m', bulk('c')),
  lmpop: redis(list, 'LMPOP 2 k l LEFT COUNT 2', `*2\r\n${bulk('l')}${bulks('a', 'b')}`),
  blmove: redis(list, 'BLMOVE l m LEFT RIGHT 1', bulk('a')),
  brpoplpush: redis(list, 'BRPOPLPUSH l m 1', bulk('c')),
  blmpop: redis(list, 'BLMPOP 1 1 l RIGHT', `*2\r\n${bulk('l')}${bulks('c')}`),
  blpop: redis(list, 'BLPOP k l 1', bulks('l', 'a')),
  brpop: redis(list, 'BRPOP k l 1', bulks('l', 'c')),
  'ai.tensorset': ai([], ['AI.TENSORSET', 'x', 'INT8', '4', 'BLOB', Buffer.from('\r\n\0\xff', 'latin1')], ok),
  'ai.tensorget': ai(
    [input],
    'AI.TENSORGET x META VALUES',
    `*6\r\n${bulk('dtype')}${bulk('FLOAT')}${bulk('shape')}*2\r\n:1\r\n:2\r\n${bulk('values')}${bulks('1', '2')}`,
  ),
  'ai.modelstore': ai([], storeModel, ok),
  'ai.modelset': ai([], ['AI.MODELSET', 'm', 'ONNX', 'CPU', 'BLOB', model], ok),
  'ai.modelget': ai([storeModel], 'AI.MODELGET m META', /^\*16\r\n\$7\r\nbackend\r\n\$4\r\nONNX\r\n/),
  'ai.modeldel': ai([storeModel], 'AI.MODELDEL m', ok),
  'ai.modelexecute': ai([storeModel, input], 'AI.MODELEXECUTE m INPUTS 1 x OUTPUTS 1 y TIMEOUT 60000', ok),
  'ai.modelrun': ai([storeModel, input], 'AI.MODELRUN m INPUTS x OUTPUTS y', ok),
  'ai._modelscan': ai([storeModel], 'AI._MODELSCAN', `*1\r\n${bulks('m', 't')}`),
  'ai.scriptstore': ai([], ['AI.SCRIPTSTORE', 's', 'CPU', 'ENTRY_POINTS', '1', 'f', 'SOURCE', entryPoint], ok),
  'ai.scriptset': ai([], storeScript, ok),
  'ai.scriptget': ai([storeScript], 'AI.SCRIPTGET s SOURCE', bulk(source)),
  'ai.scriptdel': ai([storeScript], 'AI.SCRIPTDEL s', ok),
  'ai.scriptexecute': ai([storeScript, input], 'AI.SCRIPTEXECUTE s f INPUTS 1 x OUTPUTS 1 y', ok),
  'ai.scriptrun': ai([storeScript, input], 'AI.SCRIPTRUN s f INPUTS x OUTPUTS y', ok),
  'ai._scriptscan': ai([storeScript], 'AI._SCRIPTSCAN', `*1\r\n${bulks('s', 't')}`),
  'ai.dagexecute': ai(
    [input],
    'AI.DAGEXECUTE LOAD 1 x PERSIST 1 z |> AI.TENSORSET z INT8 1 VALUES 7 |> AI.TENSORGET x VALUES',
    `*2\r\n${ok}${bulks('1', '2')}`,
  ),
  'ai.dagexecute_ro': ai([input], 'AI.DAGEXECUTE_RO LOAD 1 x |> AI.TENSORGET x VALUES', `*1\r\n${bulks('1', '2')}`),
  'ai.dagrun': ai([input], 'AI.DAGRUN LOAD 1 x |> AI.TENSORGET x VALUES', `*1\r\n${bulks('1', '2')}`),
  'ai.dagrun_ro': ai([input], 'AI.DAGRUN_RO LOAD 1 x |> AI.TENSORGET x VALUES', `*1\r\n${bulks('1', '2')}`),
  'ai.info': ai([storeModel], 'AI.INFO m', /^\*18\r\n\$3\r\nkey\r\n\$1\r\nm\r\n\$4\r\ntype\r\n\$5\r\nMODEL\r\n/),
  'ai.config': ai([], 'AI.CONFIG GET MODEL_CHUNK_SIZE', ':535822336\r\n'),
};

/** Commands whose answer is a server's own affair: who may end it, what it is called, whether it saves already, that it is no cluster. */
export const answeredByServers: ReadonlySet<string> = new Set([
  'shutdown',
  'bgsave',
  'cluster',
  'module',
  'hello',
  'role',
]);
