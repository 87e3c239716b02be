import { escapeControls } from '../../../diagnostics/index.js';
/** An error that a store has answered a client with, as its log says it. */
export interface AnsweredError {
  /** The client, as far as it is known: `sweep_3 (process 812)`, `process 812`, `a process on 10.0.0.3 (port 51200)`. */
  readonly who: string;
  /** Command in upper case, and the keys, models and scripts that it names. */
  readonly command: string;
  readonly keys: readonly string[];
  /** Number of times that it was answered so until then. */
  readonly times: number;
  /** The error's text. */
  readonly text: string;
}

/** Commands whose words are all names, or numbers of names: all of them say what was asked. */
const namesOnly = /^AI\.(MODELEXECUTE|MODELRUN|SCRIPTRUN|SCRIPTEXECUTE)$/;

/** Pattern of the words of such a command that are not names. */
const grammar = /^(INPUTS|OUTPUTS|KEYS|TIMEOUT|\$|\d+)$/i;

/** Most names of one request that are shown, and most bytes of one name. */
const most = { names: 16, bytes: 128 };

/** Command and names of a request; none of the values that it brings. `range` are its keys: first, last, step. */
export function namesOf(
  words: readonly Buffer[],
  [first, last, step]: readonly [number, number, number],
): Pick<AnsweredError, 'command' | 'keys'> {
  const command = shown(words[0]).toUpperCase();
  if (namesOnly.test(command)) {
    const named = words.slice(1, 4 * most.names).map(shown);
    return { command, keys: named.filter((word, index) => index === 0 || !grammar.test(word)).slice(0, most.names) };
  }
  if (command.startsWith('AI.DAG')) return { command, keys: namesOfDag(words) };
  const end = last < 0 ? words.length + last : last;
  const keys: string[] = [];
  for (let at = first; first > 0 && at <= end && at < words.length && keys.length < most.names; at += step) {
    keys.push(shown(words[at]));
  }
  return { command, keys };
}

/** Keys that a DAG loads, persists and is routed by, and the first key or model of each of its steps. */
function namesOfDag(words: readonly Buffer[]): string[] {
  const names = new Set<string>();
  for (let at = 1; at < words.length && names.size < most.names; at++) {
    const section = shown(words[at]).toUpperCase();
    if (section === '|>' && at + 2 < words.length) names.add(shown(words[at + 2]));
    if (section === 'ROUTING') names.add(shown(words[at + 1]));
    if (section !== 'LOAD' && section !== 'PERSIST') continue;
    const count = Number(shown(words[at + 1]));
    for (const word of words.slice(at + 2, at + 2 + Math.min(count, most.names))) names.add(shown(word));
  }
  return [...names].slice(0, most.names);
}

function shown(word: Buffer | undefined): string {
  return (word ?? Buffer.alloc(0)).toString('latin1', 0, most.bytes);
}

/** The line of the log, without its time and level. */
export function formatError({ who, command, keys, times, text }: AnsweredError): string {
  const names = keys.map((key) => ` ${JSON.stringify(key)}`).join('');
  const often = times === 1 ? '' : `, ${times} times by now`;
  const line = `error for ${who} at ${command.replace(/[^\w.-]/g, '?')}${names}${often}: ${text}`;
  // Clients may not steer the terminal of those who read the log.
  return escapeControls(line);
}

/** Reads what {@link formatError} has written; `undefined` for any other message. */
export function parseError(message: string): AnsweredError | undefined {
  const found =
    /^error for (.+?) at ([\w.?-]*)((?: "(?:[^"\\]|\\.)*")*)(?:, (\d+) times by now)?: (.*)$/.exec(message) ?? [];
  const [, who, command, names = '', times = '1', text] = found;
  if (who === undefined || command === undefined || text === undefined) return undefined;
  const keys = (names.match(/"(?:[^"\\]|\\.)*"/g) ?? []).map((name) => String(JSON.parse(name)));
  return { who, command, keys, times: Number(times), text };
}
