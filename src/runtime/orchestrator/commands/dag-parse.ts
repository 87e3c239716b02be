import type { AiContext } from '../ai/ai-context.js';
import { assertRoom } from '../ai/room.js';
import type { TensorStore } from '../ai/tensor-store.js';
import type { TensorValue } from '../ai/values.js';
import { CommandError } from './command.js';
import { parseModelExecute } from './model-execute.js';
import { parseModelRun } from './model-run.js';
import { inputAt } from './models.js';
import { parseScriptExecute, parseScriptRun, type ScriptRunRequest } from './script-run.js';
import { checkTensorGet } from './tensor-get.js';
import { type GivenTensor, parseTensor } from './tensor-set.js';
import { integer, keyword, latin1 } from './words.js';

/** One of the four commands. */
export interface DagKind {
  /** In upper case. */
  readonly name: string;
  readonly deprecated: boolean;
  readonly readOnly: boolean;
}

/** A DAG command. */
export interface DagRequest {
  readonly load: readonly { readonly key: string; readonly tensor: TensorValue }[];
  readonly persist: readonly string[];
  readonly timeoutMs: number | undefined;
  readonly steps: readonly ParsedStep[];
}

/** One command of a DAG. */
export interface ParsedStep {
  readonly name: DagCommandName;
  readonly words: readonly Buffer[];
  /** Keys of tensors that must be there by then. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** The tensor that AI.TENSORSET brings. */
  readonly tensor?: GivenTensor;
}

/** Commands that a DAG may have, and in which of its forms. */
const allowed = {
  'AI.TENSORSET': 'both',
  'AI.TENSORGET': 'both',
  'AI.MODELEXECUTE': 'current',
  'AI.SCRIPTEXECUTE': 'current',
  'AI.MODELRUN': 'deprecated',
  'AI.SCRIPTRUN': 'deprecated',
} as const;

/** A command of a DAG, in upper case. */
export type DagCommandName = keyof typeof allowed;

/** State that RedisAI checks a DAG against before anything runs: a DAG that fails here is refused as a whole. */
type DagContext = Pick<AiContext, 'tensors' | 'server'>;

/** @throws CommandError with RedisAI's texts, WrongTypeError */
export function parseDag(kind: DagKind, words: readonly Buffer[], context: DagContext): DagRequest {
  const least = kind.deprecated ? 4 : 6;
  if (words.length < least) {
    throw new CommandError(
      `ERR ${kind.deprecated ? 'wrong number of' : 'missing'} arguments for '${kind.name}' command`,
    );
  }
  const head = parseHead(kind, words, context.tensors);
  if (head.steps.length === 0) throw new CommandError('ERR DAG is empty');
  let bytes = 0;
  const steps = head.steps.map((words) => {
    const step = parseStep(kind, words, context);
    bytes += step.tensor?.bytes.length ?? 0;
    assertRoom(context, bytes);
    return step;
  });
  const known = new Set(head.load.map(({ key }) => key));
  for (const { inputs, outputs } of steps) {
    if (!inputs.every((key) => known.has(key))) throw new CommandError('ERR INPUT key cannot be found in DAG');
    for (const key of outputs) known.add(key);
  }
  const persist = head.persist.map(latin1);
  if (!persist.every((key) => known.has(key))) throw new CommandError('ERR PERSIST key cannot be found in DAG');
  return { load: head.load, persist, timeoutMs: head.timeoutMs, steps };
}

interface Head {
  load: DagRequest['load'];
  persist: readonly Buffer[];
  timeoutMs: number | undefined;
  steps: Buffer[][];
}

function parseHead(kind: DagKind, words: readonly Buffer[], tensors: TensorStore): Head {
  const head: Head = { load: [], persist: [], timeoutMs: undefined, steps: [] };
  const seen = new Set<string>();
  for (let at = 1; at < words.length; ) {
    const word = keyword(words[at]);
    if (word === '|>' && at + 1 < words.length) {
      head.steps = stepsOf(words.slice(at));
      break;
    }
    const once = !seen.has(word);
    seen.add(word);
    if (word === 'LOAD' && once) {
      const keys = keysAt(words, at, 'LOAD');
      head.load = keys.map((key) => ({ key: latin1(key), tensor: inputAt(tensors, key) }));
      at += 2 + head.load.length;
    } else if (word === 'PERSIST' && once) {
      if (kind.readOnly) throw new CommandError('ERR PERSIST cannot be specified in a read-only DAG');
      head.persist = keysAt(words, at, 'PERSIST');
      if (new Set(head.persist.map(latin1)).size !== head.persist.length) {
        throw new CommandError('ERR PERSIST keys must be unique');
      }
      at += 2 + head.persist.length;
    } else if (word === 'TIMEOUT' && once) {
      if (at + 1 >= words.length) throw new CommandError('ERR No value provided for TIMEOUT');
      head.timeoutMs = integer(words[at + 1]);
      if (head.timeoutMs === undefined || head.timeoutMs <= 0) throw new CommandError('ERR Invalid value for TIMEOUT');
      at += 2;
    } else if (word === 'ROUTING' && once && !kind.deprecated) {
      if (at + 1 >= words.length) throw new CommandError('ERR Missing ROUTING value');
      at += 2;
    } else {
      throw new CommandError(`ERR Invalid DAG command. Unexpected argument:  ${latin1(words[at])}`);
    }
  }
  if (!kind.deprecated && !['LOAD', 'PERSIST', 'ROUTING'].some((section) => seen.has(section))) {
    throw new CommandError(
      'ERR AI.DAGEXECUTE and AI.DAGEXECUTE_RO commands must contain at least one out of ROUTING, LOAD, PERSIST keywords',
    );
  }
  return head;
}

function keysAt(words: readonly Buffer[], at: number, section: 'LOAD' | 'PERSIST'): readonly Buffer[] {
  if (at + 2 >= words.length) throw new CommandError(`ERR missing arguments after ${section} keyword in DAG command`);
  const count = integer(words[at + 1]);
  if (count === undefined || count <= 0) {
    throw new CommandError(`ERR invalid or negative value found in number of keys to ${section}`);
  }
  const keys = words.slice(at + 2, at + 2 + count);
  if (keys.length === count && !keys.some((word) => latin1(word) === '|>')) return keys;
  const what = section === 'LOAD' ? 'LOAD into DAG' : 'PERSIST after DAG execution';
  throw new CommandError(`ERR number of keys to ${what} does not match the number of given arguments`);
}

/** The words between one `|>` and the next. */
function stepsOf(words: readonly Buffer[]): Buffer[][] {
  const steps: Buffer[][] = [];
  for (const word of words) {
    if (word.length === 2 && latin1(word) === '|>') steps.push([]);
    else steps.at(-1)?.push(word);
  }
  if (steps.at(-1)?.length === 0) throw new CommandError('ERR Invalid DAG command. Unexpected argument:  |>');
  return steps;
}

/** A step, which must be allowed and complete. */
function parseStep(kind: DagKind, words: readonly Buffer[], { tensors, server }: DagContext): ParsedStep {
  const word = keyword(words[0]);
  if (!Object.hasOwn(allowed, word)) throw new CommandError('Unsupported command within DAG');
  const name = word as DagCommandName;
  const when = allowed[name];
  if (when === 'deprecated' && !kind.deprecated) {
    throw new CommandError(`Deprecated ${name} cannot be used in AI.DAGEXECUTE command`);
  }
  if (when === 'current' && kind.deprecated) {
    throw new CommandError(`${name} cannot be used in a deprecated AI.DAGRUN command`);
  }
  if (name === 'AI.SCRIPTEXECUTE' && kind.readOnly) {
    throw new CommandError('ERR AI.SCRIPTEXECUTE command cannot be specified in a read-only DAG');
  }
  if (name === 'AI.TENSORSET') {
    if (words.length < 4) throw new CommandError("wrong number of arguments for 'AI.TENSORSET' command");
    return { name, words, inputs: [], outputs: [latin1(words[1])], tensor: parseTensor(words, server) };
  }
  if (name === 'AI.TENSORGET') {
    if (words.length < 2 || words.length > 4) {
      throw new CommandError("wrong number of arguments for 'AI.TENSORGET' command");
    }
    checkTensorGet(words);
    return { name, words, inputs: [latin1(words[1])], outputs: [] };
  }
  const { inputs, outputs, timeoutMs } = parseRun(name, words, tensors);
  if (timeoutMs !== undefined) throw new CommandError('ERR TIMEOUT not allowed within a DAG command');
  return { name, words, inputs: inputs.map(latin1), outputs: outputs.map(latin1) };
}

function parseRun(
  name: string,
  words: readonly Buffer[],
  tensors: TensorStore,
): Pick<ScriptRunRequest, 'inputs' | 'outputs' | 'timeoutMs'> {
  if (name === 'AI.SCRIPTRUN') return parseScriptRun(tensors, words);
  if (name === 'AI.SCRIPTEXECUTE') return parseScriptExecute(tensors, words, false);
  if (name === 'AI.MODELRUN') {
    const { inputs, outputs, timeout } = parseModelRun(tensors, words);
    return { inputs, outputs, timeoutMs: integer(timeout[1]) };
  }
  const { inputs, outputs, timeoutMs } = parseModelExecute(tensors, words).request;
  return { inputs, outputs: outputs.map((key) => Buffer.from(key, 'latin1')), timeoutMs };
}
