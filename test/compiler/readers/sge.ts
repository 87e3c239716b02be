/** Options of Grid Engine's qsub that take one word. */
const withValue = [
  '-A',
  '-ac',
  '-ar',
  '-hold_jid',
  '-j',
  '-l',
  '-m',
  '-M',
  '-N',
  '-o',
  '-P',
  '-q',
  '-r',
  '-S',
  '-t',
  '-tc',
  '-v',
];

/** Flags. */
const alone = ['-cwd', '-notify', '-V'];

/**
 * Options of a script's `#$` lines, as qsub reads them: lines anywhere in the script that begin so; quotes of both kinds group, a backslash is
 * a character like any other, and a `#` ends the line, whatever quotes are around it. Of an option that comes again the last counts, but for
 * `-l`, whose resources are gathered.
 *
 * @throws Error for what qsub refuses.
 */
export function sgeOptions(script: string): Readonly<Record<string, string>> {
  const words = script.split('\n').flatMap((line) => (line.startsWith('#$') ? wordsOf(line.slice(2)) : []));
  const options: Record<string, string> = {};
  const resources = new Map<string, string>();
  while (words.length > 0) {
    const option = words.shift() as string;
    if (alone.includes(option)) options[option] = '';
    else if (option === '-pe') options[option] = environmentOf(words.shift(), words.shift());
    else if (withValue.includes(option)) {
      const value = words.shift();
      if (value === undefined || value === '') throw new Error(`${option} option must have argument`);
      options[option] = value;
      // A resource without a value is a condition that is to be true.
      const requests = option === '-l' ? value.split(/[, ]/) : [];
      for (const [name = '', amount = 'TRUE'] of requests.map((one) => one.split(/=(.*)/s)))
        resources.set(name, amount);
    } else throw new Error(`Unknown option ${option}`);
  }
  const name = options['-N'] ?? '';
  if (/^\d|[\n\t\r/:@\\*?]/.test(name)) throw new Error(`'${name}' is no name of a job`);
  if (options['-t'] !== undefined && !/^[1-9]\d*(-[1-9]\d*(:\d+)?)?$/.test(options['-t']))
    throw new Error('no range of tasks');
  if (resources.size === 0) return options;
  return { ...options, '-l': [...resources].map(([one, value]) => `${one}=${value}`).join(',') };
}

function environmentOf(name: string | undefined, slots: string | undefined): string {
  if (name === undefined || slots === undefined || !/^\d+(-\d*)?$/.test(slots))
    throw new Error('-pe needs a name and slots');
  return `${name} ${slots}`;
}

function wordsOf(line: string): string[] {
  const [text = ''] = line.split('#');
  const words = text.match(/(?:"[^"]*"?|'[^']*'?|[^\s"'])+/g) ?? [];
  return words.map((word) => word.replace(/"([^"]*)"?|'([^']*)'?/g, (_, double, single) => double ?? single));
}
