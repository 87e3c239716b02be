import { type LauncherArgs, launcherOptionName } from '../../ir/index.js';

/** One option of a launch line: the names that mean it (a user's argument of any of these replaces it), and its words. */
export interface LauncherOption {
  readonly names: readonly string[];
  readonly words: readonly string[];
}

/** Writes an option as a launcher reads it: `name` has no dashes; without a value it is a flag. */
export type OptionStyle = (name: string, value: string | undefined) => readonly string[];

/** `-k value` for one letter, `--name=value` for more: srun, aprun, jsrun. */
export const gnuStyle: OptionStyle = (name, value) => {
  if (name.length === 1) return value === undefined ? [`-${name}`] : [`-${name}`, value];
  return [value === undefined ? `--${name}` : `--${name}=${value}`];
};

/** `-k value` for one letter, `--name value` for more: Open MPI and PALS. */
export const blankStyle: OptionStyle = (name, value) => [
  name.length === 1 ? `-${name}` : `--${name}`,
  ...(value === undefined ? [] : [value]),
];

/** `-name value`: hydra. */
export const oneDashStyle: OptionStyle = (name, value) => [`-${name}`, ...(value === undefined ? [] : [value])];

/**
 * Makes options of one style. `names` are blank-separated, the one to write first. Without a value (`undefined`) there is no option;
 * `true` is the flag alone.
 */
export function optionsOf(style: OptionStyle) {
  return (names: string, value: string | number | true | undefined): readonly LauncherOption[] => {
    if (value === undefined) return [];
    const all = names.split(' ');
    return [{ names: all, words: style(all[0] ?? names, value === true ? undefined : String(value)) }];
  };
}

/**
 * The words of all options, a user's among them: one that means what the line has already takes its place (`false` takes it away),
 * others come at the end.
 */
export function optionWords(options: readonly LauncherOption[], args: LauncherArgs, style: OptionStyle): string[] {
  const line: (LauncherOption | undefined)[] = [...options];
  for (const [key, value] of Object.entries(args)) {
    const name = key.replace(/^-+/, '');
    const words = value === false ? [] : style(name, value === true ? undefined : String(value));
    const isMeant = (one: LauncherOption | undefined) =>
      one?.names.some((known) => launcherOptionName(known) === launcherOptionName(name));
    const at = line.findIndex(isMeant);
    const mine = { names: [name], words };
    if (at < 0) line.push(mine);
    else for (const [index, one] of line.entries()) if (isMeant(one)) line[index] = index === at ? mine : undefined;
  }
  return line.flatMap((one) => one?.words ?? []);
}
