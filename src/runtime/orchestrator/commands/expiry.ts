import { type Command, CommandError } from './command.js';
import { type ExpiryUnit, timeAt } from './expiry-time.js';
import { keyword, latin1 } from './words.js';

type Condition = (before: number, after: number) => boolean;

/** Conditions of NX, XX, GT and LT; 0 is never. */
const conditions: Readonly<Record<string, Condition>> = {
  NX: (before) => before === 0,
  XX: (before) => before !== 0,
  GT: (before, after) => before !== 0 && after > before,
  LT: (before, after) => before === 0 || after < before,
};

function setsExpiry(name: string, unit: ExpiryUnit): Command {
  return {
    name,
    arity: -3,
    flags: ['write', 'fast'],
    keys: [1, 1, 1],
    run({ keyspace }, words) {
      const asked = conditionsOf(words);
      const atMs = timeAt(words[2], unit, name);
      const key = latin1(words[1]);
      const before = keyspace.expiry(key);
      if (before === undefined || !asked.every((holds) => holds(before, atMs))) return 0;
      if (atMs <= Date.now()) keyspace.delete(key);
      else keyspace.expire(key, atMs);
      return 1;
    },
  };
}

function conditionsOf(words: readonly Buffer[]): Condition[] {
  const names = words.slice(3).map((word) => keyword(word));
  for (const [index, name] of names.entries()) {
    if (conditions[name] === undefined) throw new CommandError(`ERR Unsupported option ${latin1(words[index + 3])}`);
  }
  if (names.includes('NX') && names.some((name) => name !== 'NX')) {
    throw new CommandError('ERR NX and XX, GT or LT options at the same time are not compatible');
  }
  if (names.includes('GT') && names.includes('LT')) {
    throw new CommandError('ERR GT and LT options at the same time are not compatible');
  }
  return names.flatMap((name) => conditions[name] ?? []);
}

/** `answer` turns the moment into the reply; −1 if the key never expires, −2 if there is none. */
function tellsExpiry(name: string, answer: (expiresAtMs: number) => number): Command {
  return {
    name,
    arity: 2,
    flags: ['readonly', 'fast'],
    keys: [1, 1, 1],
    run({ keyspace }, words) {
      const expiresAtMs = keyspace.expiry(latin1(words[1]));
      if (expiresAtMs === undefined) return -2;
      return expiresAtMs === 0 ? -1 : answer(expiresAtMs);
    },
  };
}

/** `PERSIST key` */
const persist: Command = {
  name: 'persist',
  arity: 2,
  flags: ['write', 'fast'],
  keys: [1, 1, 1],
  run({ keyspace }, words) {
    const key = latin1(words[1]);
    return (keyspace.expiry(key) ?? 0) !== 0 && keyspace.expire(key, 0) ? 1 : 0;
  },
};

/** `EXPIRE`, `PEXPIRE`, `EXPIREAT`, `PEXPIREAT` with `NX | XX | GT | LT`; `TTL`, `PTTL`, `EXPIRETIME`, `PEXPIRETIME`; `PERSIST`. */
export const expiryCommands: readonly Command[] = [
  setsExpiry('expire', 'EX'),
  setsExpiry('pexpire', 'PX'),
  setsExpiry('expireat', 'EXAT'),
  setsExpiry('pexpireat', 'PXAT'),
  tellsExpiry('ttl', (at) => Math.round(Math.max(0, at - Date.now()) / 1000)),
  tellsExpiry('pttl', (at) => Math.max(0, at - Date.now())),
  tellsExpiry('expiretime', (at) => Math.round(at / 1000)),
  tellsExpiry('pexpiretime', (at) => at),
  persist,
];
