import type { AiContext } from '../ai/ai-context.js';
import { runScript } from '../ai/run-program.js';
import type { TensorStore } from '../ai/tensor-store.js';
import { ok, type Reply } from '../resp/reply.js';
import { type AiCommand, CommandError } from './command.js';
import { inputAt } from './models.js';
import { scriptAt } from './scripts.js';
import { integer, keyword, latin1 } from './words.js';

/** `AI.SCRIPTRUN key fn [TIMEOUT ms] INPUTS in… [$ in…] OUTPUTS out…`, deprecated and what SmartRedis sends. */
export const scriptRun: AiCommand = {
  name: 'ai.scriptrun',
  arity: -2,
  flags: ['write', 'denyoom'],
  keys: [1, 1, 1],
  inTransaction: 'execution',
  mayNest: true,
  run: (context, words) => start(context, words, parseScriptRun(context.tensors, words)),
};

/** Runs the function that the request names on the tensors of this moment. @throws CommandError, WrongTypeError */
function start(context: AiContext, words: readonly Buffer[], request: ScriptRunRequest): Promise<Reply> {
  const { tensors } = context;
  return runScript(context, {
    script: scriptAt(tensors, words[1]),
    fn: String(words[2]),
    inputs: request.inputs.map((key) => inputAt(tensors, key)),
    outputs: request.outputs.map(latin1),
    keys: request.keys.map(latin1),
    args: request.args.map(String),
    timeoutMs: request.timeoutMs,
  }).then(() => ok);
}

/** Arguments of a script's run. */
export interface ScriptRunRequest {
  readonly inputs: readonly Buffer[];
  readonly outputs: readonly Buffer[];
  /** Keys and arguments of an entry point. */
  readonly keys: readonly Buffer[];
  readonly args: readonly Buffer[];
  readonly timeoutMs: number | undefined;
}

/**
 * Reads `[TIMEOUT ms] INPUTS in… [$ in…] OUTPUTS out…` from `words[3]` on.
 * @throws CommandError with RedisAI's texts, WrongTypeError
 */
export function parseScriptRun(tensors: TensorStore, words: readonly Buffer[]): ScriptRunRequest {
  if (words.length < 3) throw new CommandError("ERR wrong number of arguments for 'AI.SCRIPTRUN' command");
  scriptAt(tensors, words[1]);
  checkFunction(words[2]);
  const sections: { INPUTS?: Buffer[]; OUTPUTS?: Buffer[] } = {};
  let section: 'INPUTS' | 'OUTPUTS' | undefined;
  let variadic = false;
  let timeoutMs: number | undefined;
  for (let at = 3; at < words.length; at += 1) {
    const word = keyword(words[at]);
    if (word === 'TIMEOUT') {
      if (timeoutMs !== undefined) throw alreadyHas('TIMEOUT section');
      at += 1;
      if (at >= words.length) throw new CommandError('ERR No value provided for TIMEOUT');
      timeoutMs = timeoutOf(words[at]);
    } else if (word === 'INPUTS' || word === 'OUTPUTS') {
      if (word === 'INPUTS' && sections.OUTPUTS !== undefined) throw alreadyHas('INPUTS section');
      if (section === word) throw alreadyHas(`${word} keyword`);
      section = word;
      sections[word] = [];
    } else if (word === '$') {
      if (section !== 'INPUTS') {
        throw new CommandError('ERR Encountered a variable size list of tensors outside of input section');
      }
      if (variadic) throw new CommandError('ERR Already encountered a variable size list of tensors');
      variadic = true;
    } else {
      const names = section === undefined ? undefined : sections[section];
      if (names === undefined) throw new CommandError('ERR Unrecongnized parameter to SCRIPTRUN');
      names.push(words[at] as Buffer);
    }
  }
  return { inputs: sections.INPUTS ?? [], outputs: sections.OUTPUTS ?? [], keys: [], args: [], timeoutMs };
}

/** @throws CommandError */
function timeoutOf(word: Buffer | undefined): number {
  const timeoutMs = integer(word);
  if (timeoutMs === undefined || timeoutMs <= 0) throw new CommandError('ERR Invalid value for TIMEOUT');
  return timeoutMs;
}

function alreadyHas(what: string): CommandError {
  return new CommandError(`ERR Already encountered an ${what} in SCRIPTRUN`);
}

/** Refuses a word that begins a section as the name of a function. @throws CommandError */
function checkFunction(word: Buffer | undefined): void {
  if (['TIMEOUT', 'INPUTS', 'OUTPUTS'].includes(keyword(word))) {
    throw new CommandError('ERR function name not specified');
  }
}

/** `AI.SCRIPTEXECUTE key fn [KEYS n k…] [INPUTS n in…] [ARGS n a…] [OUTPUTS n out…] [TIMEOUT ms]` */
export const scriptExecute: AiCommand = {
  name: 'ai.scriptexecute',
  arity: -2,
  flags: ['write', 'denyoom'],
  keys: [1, 1, 1],
  inTransaction: 'execution',
  run(context, words) {
    if (words.length < 4) throw tooShort();
    return start(context, words, parseScriptExecute(context.tensors, words, true));
  },
};

/** The same as a step of a DAG, where keys need not come first. */
export const scriptExecuteInDag: AiCommand = {
  ...scriptExecute,
  run: (context, words) => start(context, words, parseScriptExecute(context.tensors, words, false)),
};

const countErrors: Readonly<Record<string, string>> = {
  KEYS: 'ERR Invalid or negative value found in number of KEYS',
  INPUTS: 'ERR Invalid argument for inputs count in AI.SCRIPTEXECUTE',
  ARGS: 'ERR Invalid argument for keys count in AI.SCRIPTEXECUTE',
  OUTPUTS: 'ERR Invalid argument for outputs count in AI.SCRIPTEXECUTE',
};

function tooShort(): CommandError {
  return new CommandError("ERR wrong number of arguments for 'AI.SCRIPTEXECUTE' command");
}

/**
 * Reads the sections from `words[3]` on. Outside of a DAG keys must come first, from which a cluster knows where to go.
 * @throws CommandError with RedisAI's texts, WrongTypeError
 */
export function parseScriptExecute(
  tensors: TensorStore,
  words: readonly Buffer[],
  keysFirst: boolean,
): ScriptRunRequest {
  if (words.length < 3) throw tooShort();
  scriptAt(tensors, words[1]);
  const first = keyword(words[3]);
  if (keysFirst && first !== 'KEYS' && first !== 'INPUTS') {
    throw new CommandError('ERR KEYS or INPUTS scope must be provided first for AI.SCRIPTEXECUTE command');
  }
  const sections = new Map<string, Buffer[]>();
  let timeoutMs: number | undefined;
  for (let at = 3; at < words.length; ) {
    const word = keyword(words[at]);
    if (word === 'TIMEOUT') {
      if (at + 1 >= words.length) throw new CommandError('ERR No value provided for TIMEOUT in AI.SCRIPTEXECUTE');
      timeoutMs = timeoutOf(words[at + 1]);
      at += 2;
      if (at < words.length) throw unexpected(words[at]);
      break;
    }
    const countError = countErrors[word];
    if (countError === undefined) throw unexpected(words[at]);
    if (sections.has(word)) {
      throw new CommandError(`ERR Already Encountered ${word} scope in AI.SCRIPTEXECUTE command`);
    }
    if (at + (word === 'KEYS' ? 2 : 1) >= words.length) {
      throw new CommandError(
        word === 'KEYS'
          ? 'ERR Missing arguments after KEYS keyword'
          : 'ERR Invalid arguments provided to AI.SCRIPTEXECUTE',
      );
    }
    const count = integer(words[at + 1]);
    if (count === undefined || count < 0 || (word === 'KEYS' && count === 0)) throw new CommandError(countError);
    if (at + 2 + count > words.length) {
      throw new CommandError(
        word === 'KEYS'
          ? 'ERR Number of pre declared KEYS to be used in the command does not match the number of given arguments'
          : `ERR number of ${word.toLowerCase()} to AI.SCRIPTEXECUTE command does not match the number of given arguments`,
      );
    }
    sections.set(word, words.slice(at + 2, at + 2 + count));
    at += 2 + count;
  }
  const [keys = [], inputs = [], args = [], outputs = []] = ['KEYS', 'INPUTS', 'ARGS', 'OUTPUTS'].map((name) =>
    sections.get(name),
  );
  return { inputs, outputs, keys, args, timeoutMs };
}

function unexpected(word: Buffer | undefined): CommandError {
  return new CommandError(`ERR Invalid AI.SCRIPTEXECUTE command. Unexpected argument: ${latin1(word)}`);
}
