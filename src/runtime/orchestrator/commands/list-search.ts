import type { Reply } from '../resp/reply.js';
import { type Command, CommandError } from './command.js';
import { integer, keyword, latin1 } from './words.js';

interface Search {
  /** Which match is the first that counts; from the end for a negative one. */
  rank: number;
  /** Number of matches to find, 0 for all; undefined for one that is no list. */
  count: number | undefined;
  /** Number of members to look at, 0 for all. */
  most: number;
}

/** `LPOS key member [RANK n] [COUNT n] [MAXLEN n]` */
export const lpos: Command = {
  name: 'lpos',
  arity: -3,
  flags: ['readonly'],
  keys: [1, 1, 1],
  run({ keyspace }, words) {
    const { rank, count, most } = searchOf(words);
    const members = keyspace.read(latin1(words[1]), 'list')?.members ?? [];
    const wanted = count === 0 ? members.length : (count ?? 1);
    const found: number[] = [];
    const looks = most === 0 ? members.length : Math.min(most, members.length);
    let matches = 0;
    for (let step = 0; step < looks && found.length < wanted; step += 1) {
      const at = rank < 0 ? members.length - 1 - step : step;
      if (members[at]?.equals(words[2] as Buffer) !== true) continue;
      matches += 1;
      if (matches >= Math.abs(rank)) found.push(at);
    }
    const [first = null]: Reply[] = found;
    return count === undefined ? first : found;
  },
};

function searchOf(words: readonly Buffer[]): Search {
  const search: Search = { rank: 1, count: undefined, most: 0 };
  for (let at = 3; at < words.length; at += 2) {
    const option = keyword(words[at]);
    if (at + 1 >= words.length) throw new CommandError('ERR syntax error');
    const value = integer(words[at + 1]);
    if (option !== 'RANK' && option !== 'COUNT' && option !== 'MAXLEN') throw new CommandError('ERR syntax error');
    if (option === 'RANK') {
      if (value === undefined) throw new CommandError('ERR value is not an integer or out of range');
      if (value === 0) {
        throw new CommandError(
          "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list",
        );
      }
      search.rank = value;
    } else {
      if (value === undefined || value < 0) throw new CommandError(`ERR ${option} can't be negative`);
      if (option === 'COUNT') search.count = value;
      else search.most = value;
    }
  }
  return search;
}
