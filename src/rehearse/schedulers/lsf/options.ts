import { Refused } from '../../refused.js';
import { shellWords } from '../words.js';

/** Flags of bsub. */
const flags = 'B H I IS ISp ISs Ip Ips Is Isp Iss K N Ne XF ar c_ h hl ptl_ r rn ti ul V x'.split(' ');

/** Options that take one word. */
const valued = (
  'C D E Ep F G J Jd L Lp M P Q R S T U W We Zs a alloc_flags app b c clusters cn_cu cn_mem core_isolation csm cwd data ' +
  'datagrp e eo env eptl ext f freq g gpu hostfile i is jobaff jsm k ln_mem ln_slots m mig n network nnodes notify o oo outdir ' +
  'p pack ptl q rcacct rnc s sla smt sp stage step_cgroup t tty u v w wa wt'
).split(' ');

/** A submission as bsub reads it. */
export interface LsfJob {
  /** Last values by option; those of flags are empty. */
  readonly options: Readonly<Record<string, string>>;
  /** All of `-R`, which come together. */
  readonly requirements: readonly string[];
  /** A command, where there is one instead of a script. */
  readonly command: readonly string[];
  readonly doubts: readonly string[];
}

function refused(...lines: readonly string[]): Refused {
  return new Refused([...lines.slice(0, -1), `${lines.at(-1)} Job not submitted.`].join('\n'), 255);
}

/** Refusals that end with what every one of bsub ends with. */
export { refused as notSubmitted };

/**
 * Reads a submission: words of the command line, and the script's `#BSUB` lines, wherever they stand. Of an option that comes again the last
 * counts, and those of the command line before all.
 *
 * @throws Refused for what bsub refuses.
 */
export function readLsf(script: string, argv: readonly string[] = []): LsfJob {
  const given = readWords(argv);
  if (given.command.length > 0) return { ...given, doubts: ['a command instead of a script: no directive is read'] };
  const lines = script.split('\n').filter((line) => /^#BSUB\s/.test(line));
  const words = lines.map((line) => shellWords(line.slice('#BSUB'.length)));
  const read = words.map((one) => {
    const comment = one.findIndex((word) => word.startsWith('#'));
    const own = readWords(comment < 0 ? one : one.slice(0, comment));
    if (own.command.length > 0) throw refused(`${own.command[0]}: illegal option or value in #BSUB.`);
    return own;
  });
  const seen = new Set<string>();
  const doubts = read.flatMap(({ options }) =>
    Object.keys(options).flatMap((name) => {
      if (seen.has(name) && name !== 'R') return [`-${name} is there twice`];
      seen.add(name);
      return [];
    }),
  );
  const options = Object.assign({}, ...read.map((one) => one.options), given.options) as Record<string, string>;
  const requirements = given.requirements.length > 0 ? given.requirements : read.flatMap((one) => one.requirements);
  check(options, requirements);
  return { options, requirements, command: [], doubts };
}

function readWords(argv: readonly string[]): Omit<LsfJob, 'doubts'> {
  const options: Record<string, string> = {};
  const requirements: string[] = [];
  const words = [...argv];
  while (/^-./.test(words[0] ?? '')) {
    const word = words.shift() as string;
    const name = word.slice(1);
    if (flags.includes(name)) options[name] = '';
    else {
      const [option, joined] = valued.includes(name)
        ? [name, undefined]
        : valued.includes(name[0] ?? '')
          ? [name[0] as string, name.slice(1)]
          : [undefined, undefined];
      if (option === undefined)
        throw new Refused(`bsub: illegal option -- ${name[0]}\nUsage: bsub [options] command [arguments]`, 255);
      const value = joined ?? words.shift();
      if (value === undefined) throw new Refused(`bsub: option requires an argument -- ${option}`, 255);
      options[option] = value;
      if (option === 'R') requirements.push(value);
    }
  }
  return { options, requirements, command: words };
}

const values: Readonly<Record<string, readonly [RegExp, string]>> = {
  W: [/^\d+(:\d{1,2})?(\/[\w.]+)?$/, 'Bad RUNLIMIT specification.'],
  n: [/^[1-9]\d*(,[1-9]\d*)?$/, 'Bad argument for option -n.'],
  nnodes: [/^[1-9]\d*$/, 'Bad argument for option -nnodes.'],
  csm: [/^[yn]$/i, 'Bad argument for option -csm.'],
  wt: [/^\d+(:\d{1,2})?$/, 'Bad argument for option -wt.'],
  gpu: [/^(-|num=\d+(\/(task|host))?(:[\w]+=[^:]+)*|([\w]+=[^:]+)(:[\w]+=[^:]+)*)$/, 'Bad GPU requirement syntax.'],
};

function check(options: Readonly<Record<string, string>>, requirements: readonly string[]): void {
  for (const [name, [pattern, text]] of Object.entries(values)) {
    if (options[name] !== undefined && !pattern.test(options[name])) throw refused(text);
  }
  const beside =
    options['nnodes'] === undefined
      ? undefined
      : requirements.length > 0
        ? '-R'
        : options['m'] !== undefined
          ? '-m'
          : options['n'] !== undefined
            ? '-n'
            : undefined;
  if (beside !== undefined) throw refused(`Option ${beside} cannot be used with -nnodes.`);
  if ((options['wa'] === undefined) !== (options['wt'] === undefined))
    throw refused('-wa and -wt must be used together.');
  const wild = requirements.find((one) => !isRequirement(one));
  if (wild !== undefined) throw refused('Bad resource requirement syntax.');
  if (requirements.length > 1 && requirements.some((one) => one.includes('{'))) {
    throw refused('Multiple -R resource requirements cannot contain compound ones.');
  }
  const [, name = options['J'] ?? '', list] = /^([^[]*)(?:\[(.*)\](?:%\d+)?)?$/.exec(options['J'] ?? '') ?? [];
  if (name.length > 4094) throw refused('Bad job name.');
  if (list?.split(',').some((one) => !/^[1-9]\d*(-[1-9]\d*(:[1-9]\d*)?)?$/.test(one))) {
    throw refused('Job array index specification is not valid.');
  }
}

const sections = /^\s*((select|order|rusage|span|same|cu|affinity|stripe)\[[^\]]*\]\s*)+$/;

/** True for sections, an expression of `select` alone, and `N*{…} + M*{…}`. */
function isRequirement(text: string): boolean {
  if (!text.includes('{')) return sections.test(text) || !/[[\]]/.test(text);
  return text
    .split('+')
    .every((term) => /^\s*\d+\s*\*\s*\{[^{}]*\}\s*$/.test(term) && sections.test(/\{(.*)\}/.exec(term)?.[1] ?? ''));
}
