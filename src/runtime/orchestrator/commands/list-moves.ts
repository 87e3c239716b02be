import type { Keyspace } from '../keyspace/keyspace.js';
import { nilArray, type Reply } from '../resp/reply.js';
import { type Command, type CommandContext, CommandError } from './command.js';
import { type ListEnd, popFrom, pushAt } from './lists.js';
import { keyword, latin1, positiveInteger, waitMs } from './words.js';

function endOf(word: Buffer | undefined): ListEnd {
  const end = keyword(word);
  if (end === 'LEFT' || end === 'RIGHT') return end;
  throw new CommandError('ERR syntax error');
}

/** Moves one member; undefined if there is no list to take it from. @throws WrongTypeError, with nothing moved */
function move(keyspace: Keyspace, from: string, to: string, take: ListEnd, put: ListEnd): Buffer | undefined {
  if (keyspace.read(from, 'list') === undefined) return undefined;
  keyspace.read(to, 'list');
  if (from === to) return rotate(keyspace, from, take, put);
  const [member] = popFrom(keyspace, from, take, 1) ?? [];
  if (member !== undefined) pushAt(keyspace, to, put, member);
  return member;
}

/** In place: a list of one member stays the list that it is. */
function rotate(keyspace: Keyspace, key: string, take: ListEnd, put: ListEnd): Buffer | undefined {
  const members = keyspace.change(key, 'list')?.members ?? [];
  const member = take === 'LEFT' ? members.shift() : members.pop();
  if (member === undefined) return undefined;
  if (put === 'LEFT') members.unshift(member);
  else members.push(member);
  return member;
}

/** A move of a list's member: from which key and end, to which key and end. */
interface Move {
  readonly from: string;
  readonly to: string;
  readonly take: ListEnd;
  readonly put: ListEnd;
}

function moves(name: string, arity: number, moveOf: (words: readonly Buffer[]) => Move): Command {
  return {
    name,
    arity,
    flags: ['write', 'denyoom'],
    keys: [1, 2, 1],
    run({ keyspace }, words) {
      const { from, to, take, put } = moveOf(words);
      return move(keyspace, from, to, take, put) ?? null;
    },
  };
}

/** The same, waiting for a member as long as the last word says. */
function waitsToMove(name: string, arity: number, moveOf: (words: readonly Buffer[]) => Move): Command {
  return {
    name,
    arity,
    flags: ['write', 'denyoom', 'blocking'],
    keys: [1, 2, 1],
    run({ keyspace, client, blocked }, words) {
      const { from, to, take, put } = moveOf(words);
      const timeoutMs = waitMs(words.at(-1));
      const moved = move(keyspace, from, to, take, put);
      if (moved !== undefined || client.executing) return moved ?? null;
      return blocked.waitForKeys(client, [from], timeoutMs, nilArray, (key) =>
        keyspace.get(key)?.kind === 'list' ? move(keyspace, from, to, take, put) : undefined,
      );
    },
  };
}

const byWords = (words: readonly Buffer[]): Move => ({
  from: latin1(words[1]),
  to: latin1(words[2]),
  take: endOf(words[3]),
  put: endOf(words[4]),
});
const tailToHead = (words: readonly Buffer[]): Move => ({
  from: latin1(words[1]),
  to: latin1(words[2]),
  take: 'RIGHT',
  put: 'LEFT',
});

/** Pops from the first of the keys that has a list; undefined if none has. @throws WrongTypeError */
function popFirst(keyspace: Keyspace, keys: readonly string[], end: ListEnd, count: number | undefined) {
  for (const key of keys) {
    const taken = popFrom(keyspace, key, end, count ?? 1);
    if (taken !== undefined) return popReply(key, taken, count);
  }
  return undefined;
}

/** `count` is undefined for commands that give one member. */
function popReply(key: string, taken: readonly Buffer[], count: number | undefined): Reply {
  return [Buffer.from(key, 'latin1'), count === undefined ? (taken[0] ?? null) : [...taken]];
}

interface Pop {
  readonly keys: readonly string[];
  readonly end: ListEnd;
  readonly count: number | undefined;
}

function popOrWait({ keyspace, client, blocked }: CommandContext, { keys, end, count }: Pop, timeoutMs: number) {
  const reply = popFirst(keyspace, keys, end, count);
  if (reply !== undefined || client.executing) return reply ?? nilArray;
  return blocked.waitForKeys(client, keys, timeoutMs, nilArray, (key) => {
    if (keyspace.get(key)?.kind !== 'list') return undefined;
    return popFirst(keyspace, [key], end, count);
  });
}

function waitsToPop(name: string, end: ListEnd): Command {
  return {
    name,
    arity: -3,
    flags: ['write', 'blocking'],
    keys: [1, -2, 1],
    run(context, words) {
      const timeoutMs = waitMs(words.at(-1));
      return popOrWait(context, { keys: words.slice(1, -1).map(latin1), end, count: undefined }, timeoutMs);
    },
  };
}

/** `numkeys key… LEFT | RIGHT [COUNT n]` from `words[at]` on. */
function manyPop(words: readonly Buffer[], at: number): Pop {
  const numberOfKeys = positiveInteger(words[at], 'numkeys');
  const endAt = at + 1 + numberOfKeys;
  if (endAt >= words.length) throw new CommandError('ERR syntax error');
  const end = endOf(words[endAt]);
  let count = 1;
  let counted = false;
  for (let next = endAt + 1; next < words.length; next += 2) {
    if (counted || keyword(words[next]) !== 'COUNT' || next + 1 >= words.length) {
      throw new CommandError('ERR syntax error');
    }
    count = positiveInteger(words[next + 1], 'count');
    counted = true;
  }
  return { keys: words.slice(at + 1, endAt).map(latin1), end, count };
}

const lmpop: Command = {
  name: 'lmpop',
  arity: -4,
  flags: ['write'],
  keys: [0, 0, 0],
  run({ keyspace }, words) {
    const { keys, end, count } = manyPop(words, 1);
    return popFirst(keyspace, keys, end, count) ?? nilArray;
  },
};

const blmpop: Command = {
  name: 'blmpop',
  arity: -5,
  flags: ['write', 'blocking'],
  keys: [0, 0, 0],
  run(context, words) {
    return popOrWait(context, manyPop(words, 2), waitMs(words[1]));
  },
};

/**
 * `LMOVE source destination LEFT | RIGHT LEFT | RIGHT`, `RPOPLPUSH source destination`, `LMPOP numkeys key… LEFT | RIGHT [COUNT n]`; and
 * those that wait: `BLMOVE`, `BRPOPLPUSH`, `BLMPOP`, `BLPOP key… seconds`, `BRPOP`.
 */
export const listMoves: readonly Command[] = [
  moves('lmove', 5, byWords),
  moves('rpoplpush', 3, tailToHead),
  lmpop,
  waitsToMove('blmove', 6, byWords),
  waitsToMove('brpoplpush', 4, tailToHead),
  blmpop,
  waitsToPop('blpop', 'LEFT'),
  waitsToPop('brpop', 'RIGHT'),
];
