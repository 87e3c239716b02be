import { ownBytes } from '../bytes/lendable-bytes.js';
import type { Keyspace } from '../keyspace/keyspace.js';
import { ok } from '../resp/reply.js';
import { type Command, CommandError } from './command.js';
import { bytesOfMembers } from './lists.js';
import { assertItems } from './room.js';
import { keyword, latin1, rangeInteger } from './words.js';

/** The members of the list at the key, to be changed in place. */
function membersToChange(keyspace: Keyspace, key: string): Buffer[] {
  return keyspace.change(key, 'list')?.members ?? [];
}

/** `LREM key count member`: the first so many, from the end for a negative count, all for 0. */
export const lrem: Command = {
  name: 'lrem',
  arity: 4,
  flags: ['write'],
  keys: [1, 1, 1],
  run({ keyspace }, words) {
    const count = rangeInteger(words[2]);
    const key = latin1(words[1]);
    const member = words[3] as Buffer;
    const before = keyspace.read(key, 'list')?.members ?? [];
    const limit = count === 0 ? before.length : Math.abs(count);
    const found: number[] = [];
    for (let step = 0; step < before.length && found.length < limit; step += 1) {
      const at = count < 0 ? before.length - 1 - step : step;
      if (before[at]?.equals(member) === true) found.push(at);
    }
    if (found.length === 0) return 0;
    const members = membersToChange(keyspace, key);
    const gone = new Set(found);
    let kept = 0;
    for (const [at, each] of members.entries()) {
      if (gone.has(at)) continue;
      members[kept] = each;
      kept += 1;
    }
    members.length = kept;
    keyspace.grew(key, -bytesOfMembers(found.map(() => member)));
    if (kept === 0) keyspace.delete(key);
    return found.length;
  },
};

/** `LTRIM key start stop`: keeps these, both ends included. */
export const ltrim: Command = {
  name: 'ltrim',
  arity: 4,
  flags: ['write'],
  keys: [1, 1, 1],
  run({ keyspace }, words) {
    const [start, stop] = [rangeInteger(words[2]), rangeInteger(words[3])];
    const key = latin1(words[1]);
    if (keyspace.read(key, 'list') === undefined) return ok;
    const members = membersToChange(keyspace, key);
    const from = Math.max(0, start < 0 ? members.length + start : start);
    const end = (stop < 0 ? members.length + stop : stop) + 1;
    const gone = [...members.splice(Math.max(from, end)), ...members.splice(0, from)];
    keyspace.grew(key, -bytesOfMembers(gone));
    if (members.length === 0) keyspace.delete(key);
    return ok;
  },
};

/** `LSET key index member` */
export const lset: Command = {
  name: 'lset',
  arity: 4,
  flags: ['write', 'denyoom'],
  keys: [1, 1, 1],
  run({ keyspace }, words) {
    const key = latin1(words[1]);
    const there = keyspace.read(key, 'list')?.members;
    if (there === undefined) throw new CommandError('ERR no such key');
    const index = rangeInteger(words[2]);
    const at = index < 0 ? there.length + index : index;
    const before = there[at];
    if (before === undefined) throw new CommandError('ERR index out of range');
    const member = ownBytes(words[3] as Buffer);
    membersToChange(keyspace, key)[at] = member;
    keyspace.grew(key, member.length - before.length);
    return ok;
  },
};

/** `LINSERT key BEFORE | AFTER pivot member` */
export const linsert: Command = {
  name: 'linsert',
  arity: 5,
  flags: ['write', 'denyoom'],
  keys: [1, 1, 1],
  run({ keyspace }, words) {
    const where = keyword(words[2]);
    if (where !== 'BEFORE' && where !== 'AFTER') throw new CommandError('ERR syntax error');
    const key = latin1(words[1]);
    const there = keyspace.read(key, 'list')?.members;
    if (there === undefined) return 0;
    const at = there.findIndex((each) => each.equals(words[3] as Buffer));
    if (at === -1) return -1;
    const member = ownBytes(words[4] as Buffer);
    const members = membersToChange(keyspace, key);
    assertItems(members.length + 1);
    members.splice(where === 'BEFORE' ? at : at + 1, 0, member);
    keyspace.grew(key, bytesOfMembers([member]));
    return members.length;
  },
};
