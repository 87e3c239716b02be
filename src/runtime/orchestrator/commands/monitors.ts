import type { ClientFacts } from './client-facts.js';
import type { CommandFacts } from './command-facts.js';

/** So much of a word is shown. */
const shownBytes = 1024;
const redacted = '"(redacted)"';

/** Clients that have sent MONITOR. They are shown every command as it is run. */
export class Monitors {
  readonly #monitors = new Map<ClientFacts, (line: Uint8Array) => boolean>();

  /** True while there are any. A plain field, since every command asks. */
  active = false;

  /** `show` writes a line to the client; false once it has gone. */
  add(client: ClientFacts, show: (line: Uint8Array) => boolean): void {
    client.monitors = true;
    this.#monitors.set(client, show);
    this.active = true;
  }

  delete(client: ClientFacts): void {
    client.monitors = false;
    this.#monitors.delete(client);
    this.active = this.#monitors.size > 0;
  }

  /** Shows a command to all, unless it is one that rules the server. */
  show(client: ClientFacts, command: CommandFacts, words: readonly Buffer[]): void {
    if (command.flags.includes('admin')) return;
    const line = Buffer.from(lineOf(client, command, words), 'latin1');
    for (const [monitor, show] of this.#monitors) if (!show(line)) this.delete(monitor);
  }
}

function lineOf(client: ClientFacts, command: CommandFacts, words: readonly Buffer[]): string {
  const now = performance.timeOrigin + performance.now();
  const seconds = (now / 1000).toFixed(6);
  const shown = words.map((word, index) => (index > 0 && hides(command, words) ? redacted : quoted(word)));
  return `+${seconds} [0 ${client.peer}] ${shown.join(' ')}\r\n`;
}

/** Passwords are nobody's business. */
function hides({ name }: CommandFacts, words: readonly Buffer[]): boolean {
  return name === 'auth' || (name === 'hello' && words.length > 2);
}

const escapes: ReadonlyMap<number, string> = new Map([
  [0x22, '\\"'],
  [0x5c, '\\\\'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
  [0x09, '\\t'],
  [0x07, '\\a'],
  [0x08, '\\b'],
]);

function quoted(word: Buffer): string {
  let text = '"';
  for (const byte of word.subarray(0, shownBytes)) {
    const isPlain = byte >= 0x20 && byte < 0x7f;
    text += escapes.get(byte) ?? (isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`);
  }
  const more = word.length - shownBytes;
  return more > 0 ? `${text}... (${more} more bytes)"` : `${text}"`;
}
