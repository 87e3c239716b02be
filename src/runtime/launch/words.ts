/** Values of the placeholders of a launch line. */
export interface Placeholders {
  readonly args: readonly string[];
  readonly dir: string;
  readonly name: string;
  /** Comma list of the hosts that the member is to run on. */
  readonly hosts: string;
}

/** A placeholder in further braces. */
const literal = /^(\{{2,})(?:args|dir|name|hosts)(\}{2,})$/;

function isLiteral(word: string): boolean {
  const [, open = '', close = ''] = literal.exec(word) ?? [];
  return open !== '' && open.length === close.length;
}

/**
 * The words of a launch line with `{args}`, `{dir}`, `{name}`, `{hosts}` replaced where they are whole words; `{args}` becomes as many
 * words as there are. `{{args}}` is the word `{args}`, `{{{args}}}` the word `{{args}}`, and so on.
 */
export function fillWords(line: readonly string[], values: Placeholders): string[] {
  return line.flatMap((word) => {
    switch (word) {
      case '{args}':
        return values.args;
      case '{dir}':
        return values.dir;
      case '{name}':
        return values.name;
      case '{hosts}':
        return values.hosts;
      default:
        return isLiteral(word) ? word.slice(1, -1) : word;
    }
  });
}
