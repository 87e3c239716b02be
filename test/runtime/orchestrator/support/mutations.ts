import { encode } from './raw-client.js';

/** Numbers from 0 to below 1 that a seed determines. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Word = string | Buffer;

const texts = `
PING x|ECHO x|HELLO 2|SELECT 0|CLIENT LIST|CLIENT SETNAME x|CLIENT KILL ID 1|COMMAND INFO get|COMMAND|INFO everything
CONFIG GET *|CONFIG SET lua-time-limit 1|CLUSTER SLOTS|EXISTS a b|DEL a b|UNLINK a|RENAME a b|COPY a b REPLACE|TYPE a
DBSIZE|KEYS *|KEYS [a-|SCAN 0 MATCH * COUNT 5 TYPE hash|RANDOMKEY|MEMORY USAGE a|FLUSHDB|SAVE|BGSAVE|LASTSAVE|SHUTDOWN
EXPIRE a 100 GT|PEXPIRE a 1|EXPIREAT a 1|TTL a|PTTL a|PERSIST a|GET s|SET s x EX 10 NX GET|SETNX s x|SETEX s 1 x|GETDEL s
MGET s a|MSET s x a y|STRLEN s|APPEND s x|INCR n|INCRBY n 5|DECRBY n 5|HSET h f v|HMSET h f v|HGET h f|HMGET h f g
HGETALL h|HKEYS h|HVALS h|HDEL h f|HEXISTS h f|HLEN h|RPUSH l a b|LPUSH l a|RPOP l 2|LPOP l|LINDEX l -1|LLEN l
LRANGE l 0 -1|HELLO 3 SETNAME x|HELLO 3|AUTH default x|RESET|MULTI|MULTI|EXEC|EXEC|EXEC|DISCARD|WATCH a s|UNWATCH|TIME|ROLE|WAIT 1 1
TOUCH a|OBJECT ENCODING a|OBJECT FREQ a|RENAMENX a b|MODULE LIST|CLUSTER SHARDS|CLUSTER NODES|CLUSTER KEYSLOT a|CLUSTER COUNTKEYSINSLOT 5
CLIENT UNBLOCK 1 ERROR|GETSET s x|GETEX s EX 10|MSETNX s 1 a 2|GETRANGE s 0 -1|SUBSTR s -1 5|SETRANGE s 5 x|HSETNX h f v|HSTRLEN h f
HINCRBY h n 3|HSCAN h 0 MATCH * COUNT 2|HRANDFIELD h -2 WITHVALUES|LPUSHX l a|RPUSHX l a|LREM l -1 a|LTRIM l 0 3|LSET l 0 x
LINSERT l BEFORE a b|LPOS l a RANK -1 COUNT 0 MAXLEN 9|LMOVE l k LEFT RIGHT|RPOPLPUSH l k|LMPOP 2 l k LEFT COUNT 2|BLMOVE l k LEFT RIGHT 0.01
BRPOPLPUSH l k 0.01|BLMPOP 0.01 2 l k LEFT COUNT 2|BLPOP l k 0.01|BRPOP l k 0.01|PSETEX s 9 x|EXPIRETIME a|PEXPIRETIME a|PEXPIREAT a 9
DECR n|INCR n|FLUSHALL ASYNC|QUIT|MONITOR|AI.TENSORSET t FLOAT 2 VALUES 1 2|AI.TENSORSET t STRING 2 VALUES a b|AI.TENSORSET t INT8 2 2
AI.TENSORSET x FLOAT 1 2 BLOB 12345678|AI.TENSORSET t BOOL 2 BLOB ab|AI.TENSORGET t META VALUES|AI.TENSORGET x
AI.MODELSTORE k ONNX CPU TAG t BATCHSIZE 2 MINBATCHSIZE 1 BLOB xx|AI.MODELSET k ONNX CPU INPUTS a OUTPUTS b BLOB xx
AI.MODELGET m META BLOB|AI.MODELDEL k|AI.MODELEXECUTE m INPUTS 1 x OUTPUTS 1 y TIMEOUT 100|AI._MODELSCAN|AI.INFO m
AI.MODELRUN m TIMEOUT 10 INPUTS x OUTPUTS y|AI.SCRIPTSET p CPU TAG t SOURCE code|AI.INFO p RESETSTAT|AI._SCRIPTSCAN
AI.SCRIPTSTORE p CPU ENTRY_POINTS 1 f SOURCE code|AI.SCRIPTGET p META SOURCE|AI.SCRIPTDEL p
AI.SCRIPTRUN p f INPUTS x $ x OUTPUTS y|AI.SCRIPTEXECUTE p f KEYS 1 k INPUTS 1 x ARGS 1 a OUTPUTS 1 y TIMEOUT 5
AI.DAGEXECUTE LOAD 1 x PERSIST 1 y ROUTING k TIMEOUT 100 |> AI.MODELEXECUTE m INPUTS 1 x OUTPUTS 1 y |> AI.TENSORGET y
AI.DAGEXECUTE_RO LOAD 1 x |> AI.TENSORGET x VALUES|AI.DAGRUN LOAD 1 x |> AI.MODELRUN m INPUTS x OUTPUTS y
AI.DAGRUN_RO LOAD 1 x |> AI.TENSORGET x|AI.CONFIG GET MODEL_CHUNK_SIZE|AI.CONFIG MODEL_CHUNK_SIZE 100
AI.CONFIG LOADBACKEND ONNX x|AI.CONFIG BACKENDSPATH x`;

const seeds: readonly (readonly string[])[] = texts
  .split(/\n|\|(?!>)/)
  .map((line) => line.trim().split(' '))
  .filter(([name]) => name !== '');

const words: readonly Word[] = [
  ...new Set(seeds.flat()),
  ...['', '0', '-1', '1', '2', '3', '9', '-9223372036854775808', '9223372036854775807', '1e999', 'nan', '0x10', ' 1'],
  ...['*', '[', '\\', '{', '}', '{\0\0}.m', '$', '|>', 'GPU:0', 'CPU:7', 'x'.repeat(300)],
  Buffer.from([0, 13, 10, 255]),
  Buffer.alloc(20_000, 1),
];

/** A request with something about it changed, as words. */
export function mutatedWords(random: () => number): Word[] {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const made: Word[] = [...pick(seeds)];
  for (let changes = Math.floor(random() * 4); changes > 0; changes -= 1) {
    const at = Math.floor(random() * made.length);
    const kind = random();
    if (kind < 0.4) made[at] = pick(words);
    else if (kind < 0.55) made.splice(at, 0, pick(words));
    else if (kind < 0.7 && made.length > 1) made.splice(at, 1);
    else if (kind < 0.8) made.push(...pick(seeds));
    else if (kind < 0.9) made[at] = mutatedBytes(Buffer.from(made[at] as string), random);
    else made[at] = String(made[at]).toLowerCase();
  }
  return made;
}

/** Bytes with some of them changed, dropped or added. */
export function mutatedBytes(bytes: Buffer, random: () => number): Buffer {
  const made = [...bytes];
  for (let changes = 1 + Math.floor(random() * 4); changes > 0; changes -= 1) {
    const at = Math.floor(random() * (made.length + 1));
    const kind = random();
    if (kind < 0.4) made[at] = Math.floor(random() * 256);
    else if (kind < 0.7) made.splice(at, 1);
    else made.splice(at, 0, Math.floor(random() * 256));
  }
  return Buffer.from(made);
}

/** A request as bytes, which may break the protocol. */
export function mutatedRequest(random: () => number): Buffer {
  return mutatedBytes(encode(...mutatedWords(random)), random);
}
