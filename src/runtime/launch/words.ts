/** Values of the placeholders of a launch line. */
export interface Placeholders {
  readonly args: readonly string[];
  readonly dir: string;
  readonly name: string;
  /** Comma list of the hosts that the member is to run on. */
  readonly hosts: string;
}

/** A placeholder in further braces. */
const literal = /^(\{{2,})(?:args|dir|name|hosts(?::\d+)?)(\}{2,})$/;

/** The hosts, and how many tasks each is to take: `{hosts:4}`. */
const withSlots = /^\{hosts:(\d+)\}$/;

/** True if the runtime names the hosts of a launch line. */
export function namesItsHosts(line: readonly string[]): boolean {
  return line.some((word) => word === '{hosts}' || withSlots.test(word));
}

function isLiteral(word: string): boolean {
  const [, open = '', close = ''] = literal.exec(word) ?? [];
  return open !== '' && open.length === close.length;
}

/**
 * The words of a launch line with `{args}`, `{dir}`, `{name}`, `{hosts}`, `{hosts:N}` replaced where they are whole words; `{args}` becomes as many
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
        if (withSlots.test(word)) return values.hosts.replace(/[^,]+/g, `$&:${withSlots.exec(word)?.[1]}`);
        return isLiteral(word) ? word.slice(1, -1) : word;
    }
  });
}
