import { parseDevice } from '../../../ml/devices.js';
import { plainName } from '../ai/plain-name.js';
import type { TensorStore } from '../ai/tensor-store.js';
import { newStatistics, type ScriptValue } from '../ai/values.js';
import { LendableBytes } from '../bytes/lendable-bytes.js';
import type { LoadedScript } from '../inference/index.js';
import { ok, type Reply } from '../resp/reply.js';
import { type AiCommand, type AiCommandContext, CommandError, type Prepared } from './command.js';
import { inTurn } from './in-turn.js';
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

/** A script as a command brings it. */
interface SetRequest extends Header {
  readonly key: string;
  readonly source: Buffer;
  readonly entryPoints: readonly string[];
}

/** @throws CommandError, WrongTypeError */
function withSource(
  { tensors }: AiCommandContext,
  words: readonly Buffer[],
  head: Header,
  entryPoints: readonly string[],
): SetRequest {
  const source = words[head.at + 1];
  if (keyword(words[head.at]) !== 'SOURCE' || source === undefined) {
    throw new CommandError('ERR Insufficient arguments, missing script SOURCE');
  }
  const key = latin1(words[1]);
  tensors.read(key, 'script');
  return { ...head, key, source: Buffer.from(source), entryPoints };
}

/** Puts a script at its key once it has been loaded. */
function put(context: AiCommandContext, request: SetRequest): Promise<Reply> {
  return inTurn(context.tensors, plainName(request.key), async () => (await load(context, request)).commit());
}

/** Loads the script, which remains to be put at its key. */
async function load({ tensors, inference }: AiCommandContext, request: SetRequest): Promise<Prepared> {
  const { key, source, device, tag, entryPoints } = request;
  const bytes = new LendableBytes(Buffer.from(new Uint8Array(source).buffer));
  const loaded = await inference.loadScript({ device: parseDevice(device) ?? device, bytes });
  const drop = (): void => inference.unload(loaded);
  const dropUnless = (check: () => void): void => {
    try {
      check();
    } catch (error) {
      drop();
      throw error;
    }
  };
  dropUnless(() => {
    for (const name of entryPoints) checkEntryPoint(loaded, name);
  });
  return {
    drop,
    commit() {
      dropUnless(() => tensors.read(key, 'script'));
      const statistics = newStatistics();
      tensors.set(key, { kind: 'script', device, tag, entryPoints, source, loaded, statistics });
      return ok;
    },
  };
}

/** Types of an entry point's parameters. */
const signature = ['List[Tensor]', 'List[str]', 'List[str]'];

/** @throws CommandError with RedisAI's texts unless the script has a function of that name with an entry point's parameters */
function checkEntryPoint({ functions }: LoadedScript, name: string): void {
  const parameters = functions.get(name);
  if (parameters === undefined) throw new CommandError(`Function ${name} does not exist in the given script.`);
  if (parameters.length !== signature.length) {
    throw new CommandError(`Wrong number of inputs in function ${name}. Expected 3 but was ${parameters.length}`);
  }
  if (parameters.some(({ type }, at) => type !== signature[at])) {
    throw new CommandError(
      `Wrong inputs type in function ${name}. Expected signature similar to: def ${name}(tensors: List[Tensor], keys: List[str], args: List[str])`,
    );
  }
}

/** `AI.SCRIPTSTORE key device [TAG t] ENTRY_POINTS n name… SOURCE text` */
export const scriptStore: AiCommand = {
  name: 'ai.scriptstore',
  arity: -8,
  flags: ['write', 'denyoom'],
  keys: [1, 1, 1],
  mayNest: true,
  run: (context, words) => put(context, parseScriptStore(context, words)),
  prepare: (context, words) => load(context, parseScriptStore(context, words)),
};

function parseScriptStore(context: AiCommandContext, words: readonly Buffer[]): SetRequest {
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
  return withSource(context, words, { ...head, at: from + count }, names);
}

/** `AI.SCRIPTSET key device [TAG t] SOURCE text`, deprecated and what SmartRedis sends. */
export const scriptSet: AiCommand = {
  name: 'ai.scriptset',
  arity: -5,
  flags: ['write', 'denyoom'],
  keys: [1, 1, 1],
  mayNest: true,
  run: (context, words) => put(context, parseScriptSet(context, words)),
  prepare: (context, words) => load(context, parseScriptSet(context, words)),
};

function parseScriptSet(context: AiCommandContext, words: readonly Buffer[]): SetRequest {
  if (words.length !== 5 && words.length !== 7) throw arityError('ai.scriptset');
  return withSource(context, words, header(words), []);
}

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
