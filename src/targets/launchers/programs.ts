import { standsForHosts } from '../../ir/index.js';
import type { LaunchLine, LaunchProgram, LaunchStep, NotSupported } from '../target.js';

/** The programs of a launch, at least one. */
export type Programs = readonly [LaunchProgram, ...LaunchProgram[]];

/**
 * A launch line of programs parted by `:`. `optionsOf` gives the words between the launcher and a program; `isFirst` is for options
 * that hold for the whole line.
 */
export function colonLine(
  launcher: string,
  programs: Programs,
  optionsOf: (step: LaunchStep, isFirst: boolean) => readonly string[],
): LaunchLine | NotSupported {
  if (programs.some(({ words }) => words.includes(':'))) {
    return {
      notSupported: `${launcher} reads the argument ':' as the end of a program`,
      hint: 'pass it in a file, or start the program from a script of yours',
    };
  }
  const parts = programs.map(({ step, words }, index) => [...optionsOf(step, index === 0), ...words]);
  return { words: [launcher, ...parts.flatMap((part, index) => (index === 0 ? part : [':', ...part]))] };
}

/** The value that `pick` takes from every step; undefined if they differ. */
export function shared<Value>(programs: Programs, pick: (step: LaunchStep) => Value): Value | undefined {
  const value = pick(programs[0].step);
  return programs.every(({ step }) => pick(step) === value) ? value : undefined;
}

/** A refusal of hosts to stay away from, where the launcher cannot. */
export function refuseExcludedHosts(launcher: string, programs: Programs): NotSupported | undefined {
  if (programs.every(({ step }) => (step.excludeHosts ?? []).length === 0)) return undefined;
  return {
    notSupported: `${launcher} cannot keep off single hosts`,
    hint: 'name the hosts to run on with .hosts(), or have the scheduler leave them out with .batch({ directives })',
  };
}

/** A refusal of words for hosts, where the launcher chooses them after these words were filled in. */
export function refuseHostWords(launcher: string, programs: Programs): NotSupported | undefined {
  const word = programs.flatMap(({ words }) => words).find(standsForHosts);
  if (word === undefined) return undefined;
  return {
    notSupported: `${launcher} chooses nodes by itself, so '${word}' cannot be filled in`,
    hint: 'have the program ask for its host by itself; rank 0 can tell the others',
  };
}

/** Hosts with commas between them; undefined where there are none. */
export function commaList(hosts: readonly string[] | undefined): string | undefined {
  return hosts === undefined || hosts.length === 0 ? undefined : hosts.join(',');
}

/** The same with the tasks that each host is to take: `h1:2,h2:2`, `{hosts:2}`. */
export function hostSlots(step: LaunchStep, slots: number): string | undefined {
  const { hosts, namesHosts } = step;
  // A host that is named without has one.
  if (slots === 1) return hostList(step);
  return commaList(hosts?.map((host) => `${host}:${slots}`)) ?? (namesHosts ? `{hosts:${slots}}` : undefined);
}

/** Comma list of the hosts of a step: the user's, or `{hosts}` for the runtime to fill in; undefined where there is but one host. */
export function hostList({ hosts, namesHosts }: LaunchStep): string | undefined {
  return commaList(hosts) ?? (namesHosts ? '{hosts}' : undefined);
}
