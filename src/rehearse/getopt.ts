/** An option of a command: its long name, its letter, and if it takes a value. */
export interface OptionRow {
  readonly name: string;
  readonly letter?: string;
  readonly value: 'none' | 'needed' | 'optional';
}

/** Options and operands of a command line, or the sentence of getopt that refuses it. */
export type Parsed =
  | { readonly options: ReadonlyMap<string, readonly string[]>; readonly rest: readonly string[] }
  | { readonly refused: string };

/**
 * Rows from text: options parted by blanks, each `name`, `name=` (needs a value) or `name[=]` (may have one), with `,x` behind it for its letter.
 */
export function optionTable(text: string): OptionRow[] {
  return text
    .trim()
    .split(/\s+/)
    .map((word) => {
      const [, name = '', value = '', letter] = /^([\w-]+)(=|\[=\])?(?:,(\S))?$/.exec(word) ?? [];
      return {
        name,
        value: value === '' ? 'none' : value === '=' ? 'needed' : 'optional',
        ...(letter === undefined ? {} : { letter }),
      };
    });
}

/** Reads a command line as GNU's getopt_long does, up to the first operand: long names may be cut short where that is unambiguous. */
export function parseOptions(command: string, words: readonly string[], table: readonly OptionRow[]): Parsed {
  const options = new Map<string, string[]>();
  const add = (name: string, value: string) => options.set(name, [...(options.get(name) ?? []), value]);
  let at = 0;
  while (at < words.length) {
    const word = words[at] ?? '';
    if (word === '--') return { options, rest: words.slice(at + 1) };
    if (!word.startsWith('-') || word === '-') break;
    at++;
    if (word.startsWith('--')) {
      const [, name = '', value] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
      const row = longOption(name, table);
      if (typeof row === 'string') return { refused: `${command}: ${row}` };
      if (row.value === 'none' && value !== undefined)
        return { refused: `${command}: option '--${row.name}' doesn't allow an argument` };
      if (row.value !== 'needed') {
        add(row.name, value ?? '');
        continue;
      }
      const given = value ?? words[at++];
      if (given === undefined) return { refused: `${command}: option '--${row.name}' requires an argument` };
      add(row.name, given);
      continue;
    }
    for (let letters = word.slice(1); letters !== ''; ) {
      const [letter = ''] = letters;
      const row = table.find((one) => one.letter === letter);
      if (row === undefined) return { refused: `${command}: invalid option -- '${letter}'` };
      letters = letters.slice(letter.length);
      if (row.value === 'none') {
        add(row.name, '');
        continue;
      }
      const given = letters !== '' || row.value === 'optional' ? letters : words[at++];
      if (given === undefined) return { refused: `${command}: option requires an argument -- '${letter}'` };
      add(row.name, given);
      break;
    }
  }
  return { options, rest: words.slice(at) };
}

function longOption(name: string, table: readonly OptionRow[]): OptionRow | string {
  const exact = table.find((row) => row.name === name);
  if (exact !== undefined) return exact;
  const begun = table.filter((row) => row.name.startsWith(name));
  if (begun.length === 1 && begun[0] !== undefined) return begun[0];
  if (begun.length === 0) return `unrecognized option '--${name}'`;
  return `option '--${name}' is ambiguous; possibilities: ${begun.map((row) => `'--${row.name}'`).join(' ')}`;
}
