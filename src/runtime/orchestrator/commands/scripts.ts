import { parseDevice } from '../../../ml/devices.js';
import type { TensorStore } from '../ai/tensor-store.js';
import { newStatistics, type ScriptValue } from '../ai/values.js';
import { ok, type Reply } from '../resp/reply.js';
import { type AiCommand, type AiCommandContext, CommandError } from './command.js';
import { arityError, integer, keyword, latin1 } from './words.js';

/** The script at a key. @throws CommandError, WrongTypeError */
export function scriptAt(tensors: TensorStore, key: Buffer | undefined): ScriptValue {
  const script = tensors.read(latin1(key), 'script');
  if (script === undefined) throw new CommandError('ERR script key is empty');
  return script;
}

interface Header {
  readonly device: string;
  readonly tag: Buffer;
  /** Index of the first word after it. */
  readonly at: number;
}

function header(words: readonly Buffer[]): Header {
  const device = latin1(words[2]);
  if (parseDevice(device) === undefined) throw new CommandError('ERR Invalid DEVICE');
  const tagged = keyword(words[3]) === 'TAG';
  return { device, tag: Buffer.from((tagged ? words[4] : undefined) ?? ''), at: tagged ? 5 : 3 };
}

function putScript(
  { tensors: keys }: AiCommandContext,
  words: readonly Buffer[],
  { device, tag, at }: Header,
  entryPoints: readonly string[],
): Reply {
  const source = words[at + 1];
  if (keyword(words[at]) !== 'SOURCE' || source === undefined) {
    throw new CommandError('ERR Insufficient arguments, missing script SOURCE');
  }
  const key = latin1(words[1]);
  keys.read(key, 'script');
  keys.set(key, {
    kind: 'script',
    device,
    tag,
    entryPoints,
    source: Buffer.from(source),
    statistics: newStatistics(),
  });
  return ok;
}

/** `AI.SCRIPTSTORE key device [TAG t] ENTRY_POINTS n name… SOURCE text` */
export const scriptStore: AiCommand = {
  name: 'ai.scriptstore',
  arity: -8,
  flags: ['write', 'denyoom'],
  keys: [1, 1, 1],
  mayNest: true,
  run(context, words) {
    const head = header(words);
    if (keyword(words[head.at]) !== 'ENTRY_POINTS') {
      throw new CommandError('ERR Insufficient arguments, missing script entry points');
    }
    const count = integer(words[head.at + 1]);
    if (count === undefined || count < 0) {
      throw new CommandError('ERR Non numeric entry points number provided to AI.SCRIPTSTORE command');
    }
    const from = head.at + 2;
    const names = words.slice(from, from + count).map(latin1);
    if (from + count > words.length) {
      throw new CommandError('ERR Insufficient arguments, missing script entry points');
    }
    return putScript(context, words, { ...head, at: from + count }, names);
  },
};

/** `AI.SCRIPTSET key device [TAG t] SOURCE text`, deprecated and what SmartRedis sends. */
export const scriptSet: AiCommand = {
  name: 'ai.scriptset',
  arity: -5,
  flags: ['write', 'denyoom'],
  keys: [1, 1, 1],
  mayNest: true,
  run(context, words) {
    if (words.length !== 5 && words.length !== 7) throw arityError('ai.scriptset');
    return putScript(context, words, header(words), []);
  },
};

/** `AI.SCRIPTGET key [META] [SOURCE]` */
export const scriptGet: AiCommand = {
  name: 'ai.scriptget',
  arity: -2,
  flags: ['readonly'],
  keys: [1, 1, 1],
  run({ tensors: keys }, words) {
    const { device, tag, entryPoints, source } = scriptAt(keys, words[1]);
    const asked = words.slice(2).map((word) => keyword(word));
    const meta = asked.includes('META');
    if (asked.includes('SOURCE') && !meta) return source;
    const names = entryPoints.map((name) => Buffer.from(name, 'latin1'));
    const reply: Reply[] = ['device', device, 'tag', tag, 'Entry Points', names];
    return meta && !asked.includes('SOURCE') ? reply : [...reply, 'source', source];
  },
};

/** `AI.SCRIPTDEL key` */
export const scriptDelete: AiCommand = {
  name: 'ai.scriptdel',
  arity: 2,
  flags: ['write'],
  keys: [1, 1, 1],
  mayNest: true,
  run({ tensors: keys }, words) {
    scriptAt(keys, words[1]);
    keys.delete(latin1(words[1]));
    return ok;
  },
};
