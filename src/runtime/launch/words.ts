/** Values of the placeholders of a launch line. */
export interface Placeholders {
  readonly args: readonly string[];
  readonly dir: string;
  readonly name: string;
  /** The hosts that the member is to run on. */
  readonly hosts: readonly string[];
}

/** A placeholder in further braces. */
const literal = /^(\{{2,})(?:args|dir|name|first_host|hosts(?:\[\d+-\d+\])?(?::\d+)?)(\}{2,})$/;

/** The hosts, all or those of some positions from 1, and how many tasks each is to take: `{hosts}`, `{hosts:4}`, `{hosts[2-3]}`. */
const hostsWord = /^\{hosts(?:\[(\d+)-(\d+)\])?(?::(\d+))?\}$/;

/** True if a launch line, the user's words in it included, names the hosts that the runtime chooses. */
export function namesItsHosts(line: readonly string[]): boolean {
  return line.some((word) => word === '{first_host}' || hostsWord.test(word));
}

function isLiteral(word: string): boolean {
  const [, open = '', close = ''] = literal.exec(word) ?? [];
  return open !== '' && open.length === close.length;
}

/**
 * The words of a launch line with `{args}`, `{dir}`, `{name}`, `{first_host}` and `{hosts}` (a comma list; the launchers' lines have further forms
 * of it) replaced where they are whole words; `{args}` becomes as many words as there are. `{{args}}` is the word `{args}`, `{{{args}}}` the word `{{args}}`, and so on.
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
      case '{first_host}':
        return values.hosts[0] ?? '';
      default:
        if (hostsWord.test(word)) return hostList(word, values.hosts);
        return isLiteral(word) ? word.slice(1, -1) : word;
    }
  });
}

function hostList(word: string, hosts: readonly string[]): string {
  const [, first, last, slots] = hostsWord.exec(word) ?? [];
  const chosen = first === undefined ? hosts : hosts.slice(Number(first) - 1, Number(last));
  return chosen.map((host) => (slots === undefined ? host : `${host}:${slots}`)).join(',');
}

/** A launch line that hands on variables to tasks on other hosts: `passOn` gives the words in front of each of its programs. */
export function withVariables(
  line: readonly string[],
  names: readonly string[],
  passOn: ((variable: string) => readonly string[]) | undefined,
): readonly string[] {
  if (passOn === undefined || names.length === 0) return line;
  const words = names.flatMap(passOn);
  return line.flatMap((word, index) => (index === 0 || word === ':' ? [word, ...words] : [word]));
}
