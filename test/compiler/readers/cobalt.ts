/** Options of Cobalt's qsub that take a value: the short name, if it has one, and the long one. */
const withValue = [
  ['-A', '--project'],
  ['-e', '--error'],
  ['-i', '--inputfile'],
  ['-K', '--kerneloptions'],
  ['-M', '--notify'],
  ['-n', '--nodecount'],
  ['-o', '--output'],
  ['-O', '--outputprefix'],
  ['-q', '--queue'],
  ['-t', '--time'],
  ['-u', '--umask'],
  ['--attrs'],
  ['--cwd'],
  ['--debuglog'],
  ['--dependencies'],
  ['--env'],
  ['--geometry'],
  ['--jobname'],
  ['--kernel'],
  ['--mode'],
  ['--proccount'],
] as const;

/** Flags. */
const alone = [['-d', '--debug'], ['-h', '--held'], ['-v', '--verbose'], ['--preemptable'], ['--run_project']] as const;

/**
 * Options of a script's `#COBALT` lines by their long name, as qsub reads them: from the second line on, only until the first other line, a
 * comment too; words are parted by blanks, and quotes are a part of them.
 *
 * @throws Error for what qsub refuses.
 */
export function cobaltOptions(script: string): Readonly<Record<string, string>> {
  const [interpreter = '', ...rest] = script.split('\n');
  if (!interpreter.startsWith('#!')) throw new Error('the first line names no interpreter');
  const end = rest.findIndex((line) => !/^#COBALT\s/.test(line));
  const words = rest.slice(0, end).flatMap((line) =>
    line
      .split(/\s+/)
      .slice(1)
      .filter((word) => word !== ''),
  );
  const options: Record<string, string> = {};
  while (words.length > 0) {
    const word = words.shift() as string;
    const [name = '', given] = word.startsWith('--') ? (/^([^=]+)(?:=(.*))?$/s.exec(word) ?? []).slice(1) : [word];
    const flag = alone.find((names) => names.includes(name as never));
    const option = withValue.find((names) => names.includes(name as never));
    // The first word that is no option would be the program to run.
    if (flag === undefined && option === undefined) throw new Error(`no such option: ${word}`);
    const long = (flag ?? option)?.at(-1) as string;
    if (options[long] !== undefined) throw new Error(`${long} is there twice`);
    const value = flag === undefined ? (given ?? words.shift()) : '';
    if (value === undefined) throw new Error(`${word} needs a value`);
    options[long] = value;
  }
  for (const needed of ['--time', '--nodecount']) {
    if (options[needed] === undefined) throw new Error(`not all required arguments: ${needed} needed`);
  }
  if (!/^\d+$|^\d+:\d{1,2}:\d{1,2}$/.test(options['--time'] as string)) throw new Error('invalid time specification');
  if (!/^[1-9]\d*$/.test(options['--nodecount'] as string)) throw new Error('node count is no integer');
  return options;
}
