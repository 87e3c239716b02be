import type { Keyspace } from '../store/keyspace.js';
import type { TensorValue } from '../store/values.js';
import { CommandError } from './command.js';
import { parseModelRun } from './model-run.js';
import { inputAt } from './models.js';
import { parseScriptExecute, parseScriptRun } from './script-run.js';
import { integer, keyword, latin1 } from './words.js';

/** One of the four commands. */
export interface DagKind {
  /** In upper case. */
  readonly name: string;
  readonly deprecated: boolean;
  readonly readOnly: boolean;
}

/** What a DAG command asks for. */
export interface DagRequest {
  readonly load: readonly { readonly key: string; readonly tensor: TensorValue }[];
  readonly persist: readonly string[];
  readonly timeoutMs: number | undefined;
  readonly steps: readonly (readonly Buffer[])[];
}

const allowed: Readonly<Record<string, 'both' | 'current' | 'deprecated'>> = {
  'AI.TENSORSET': 'both',
  'AI.TENSORGET': 'both',
  'AI.MODELEXECUTE': 'current',
  'AI.SCRIPTEXECUTE': 'current',
  'AI.MODELRUN': 'deprecated',
  'AI.SCRIPTRUN': 'deprecated',
};

/** @throws CommandError with RedisAI's texts */
export function parseDag(kind: DagKind, words: readonly Buffer[], store: Keyspace): DagRequest {
  const least = kind.deprecated ? 4 : 6;
  if (words.length < least) {
    throw new CommandError(
      `ERR ${kind.deprecated ? 'wrong number of' : 'missing'} arguments for '${kind.name}' command`,
    );
  }
  const head = parseHead(kind, words);
  const load = head.load.map((word) => ({ key: latin1(word), tensor: inputAt(store, word) }));
  const steps = stepsOf(words.slice(head.end));
  if (steps.length === 0) throw new CommandError('ERR DAG is empty');
  const known = new Set(load.map(({ key }) => key));
  for (const step of steps) checkStep(kind, step, known);
  const persist = head.persist.map(latin1);
  if (!persist.every((key) => known.has(key))) throw new CommandError('ERR PERSIST key cannot be found in DAG');
  return { load, persist, timeoutMs: head.timeoutMs, steps };
}

interface Head {
  load: readonly Buffer[];
  persist: readonly Buffer[];
  timeoutMs: number | undefined;
  end: number;
}

function parseHead(kind: DagKind, words: readonly Buffer[]): Head {
  const head: Head = { load: [], persist: [], timeoutMs: undefined, end: words.length };
  const seen = new Set<string>();
  for (let at = 1; at < words.length; ) {
    const word = keyword(words[at]);
    if (word === '|>') {
      head.end = at;
      break;
    }
    const once = !seen.has(word);
    seen.add(word);
    if (word === 'LOAD' && once) {
      head.load = keysAt(words, at, 'LOAD');
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
  if (at + 1 >= words.length) throw new CommandError(`ERR missing arguments after ${section} keyword in DAG command`);
  const count = integer(words[at + 1]);
  if (count === undefined || count <= 0) {
    throw new CommandError(`ERR invalid or negative value found in number of keys to ${section}`);
  }
  const keys = words.slice(at + 2, at + 2 + count);
  if (keys.length === count && !keys.some((word) => latin1(word) === '|>')) return keys;
  const what = section === 'LOAD' ? 'LOAD into DAG' : 'PERSIST after DAG execution';
  throw new CommandError(`ERR number of keys to ${what} does not match the number of given arguments`);
}

function stepsOf(words: readonly Buffer[]): Buffer[][] {
  const steps: Buffer[][] = [];
  for (const word of words) {
    if (word.length === 2 && latin1(word) === '|>') steps.push([]);
    else steps.at(-1)?.push(word);
  }
  if (steps.some((step) => step.length === 0)) throw new CommandError('ERR DAG is empty');
  return steps;
}

/** Checks that a step is allowed and that what it reads is there by then; adds what it makes. */
function checkStep(kind: DagKind, step: readonly Buffer[], known: Set<string>): void {
  const name = keyword(step[0]);
  const when = allowed[name];
  if (when === undefined) throw new CommandError('Unsupported command within DAG');
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
    if (step[1] !== undefined) known.add(latin1(step[1]));
    return;
  }
  if (name === 'AI.TENSORGET') return;
  if (step.some((word, index) => index > 1 && keyword(word) === 'TIMEOUT')) {
    throw new CommandError('ERR TIMEOUT not allowed within a DAG command');
  }
  const { inputs, outputs } = keysOf(name, step);
  for (const key of inputs) {
    if (!known.has(latin1(key))) throw new CommandError('ERR INPUT key cannot be found in DAG');
  }
  for (const key of outputs) known.add(latin1(key));
}

function keysOf(name: string, step: readonly Buffer[]): { inputs: readonly Buffer[]; outputs: readonly Buffer[] } {
  if (name === 'AI.MODELRUN') return parseModelRun(step);
  if (name === 'AI.SCRIPTRUN') return parseScriptRun(step);
  if (name === 'AI.SCRIPTEXECUTE') return parseScriptExecute(step);
  if (keyword(step[2]) !== 'INPUTS') throw new CommandError('ERR INPUTS not specified');
  const inputCount = integer(step[3]) ?? 0;
  const outputsAt = 4 + inputCount;
  if (keyword(step[outputsAt]) !== 'OUTPUTS') throw new CommandError('ERR OUTPUTS not specified');
  const outputCount = integer(step[outputsAt + 1]) ?? 0;
  return {
    inputs: step.slice(4, outputsAt),
    outputs: step.slice(outputsAt + 2, outputsAt + 2 + outputCount),
  };
}
