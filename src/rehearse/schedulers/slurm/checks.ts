import type { Refusal } from '../../standins.js';
import type { Options } from './given.js';
import { readMemory, readNodes, readTime } from './values.js';

/** Check of an option's value: the values that sbatch and srun take, and their answer to another one. */
interface Check {
  readonly takes: (value: string) => boolean;
  readonly code: number;
  says(name: string, value: string): string;
}

const like = (pattern: RegExp) => (value: string) => pattern.test(value);
const names = (text: string) => like(new RegExp(`^(?:${text.trim().split(/\s+/).join('|')})$`, 'i'));

/** Checks that answer `Invalid numeric value`. */
function numbers(options: string, takes: RegExp, dashes = '--'): [string, Check][] {
  return options.split(' ').map((option) => [
    option,
    {
      takes: like(takes),
      code: 1,
      says: (name, value) => `Invalid numeric value "${value}" for ${dashes}${name}.`,
    },
  ]);
}

/** Checks that answer `Invalid … specification`. */
function specified(options: string, takes: Check['takes']): [string, Check][] {
  return options
    .split(' ')
    .map((option) => [option, { takes, code: 255, says: (name) => `Invalid --${name} specification` }]);
}

/** Checks that answer with a sentence of their own. */
function own(option: string, takes: Check['takes'], code: number, says: (value: string) => string): [string, Check][] {
  return [[option, { takes, code, says: (_, value) => says(value) }]];
}

const mails = 'none begin end fail requeue all invalid_depend stage_out time_limit time_limit_(?:50|80|90) array_tasks';
const bindings = 'none no rank rank_ldom sockets cores threads ldoms boards help one_thread';
const ways = '(?:block|cyclic|fcyclic|\\*)';

/** Values that Slurm 22.05's own parser takes; names of queues, features and the like are the controller's matter. */
const checks: ReadonlyMap<string, Check> = new Map([
  ...numbers(
    'ntasks cpus-per-task ntasks-per-node ntasks-per-core ntasks-per-socket ntasks-per-gpu cpus-per-gpu threads-per-core mincpus',
    /^[1-9]\d*$/,
  ),
  ...numbers('cores-per-socket sockets-per-node core-spec switches', /^\d+(?:@.*)?$/),
  ...numbers('wait relative threads wait-all-nodes', /^\d+$/),
  ...numbers('kill-on-bad-exit', /^\d*$/),
  ...numbers('immediate', /^\d*$/, ''),
  ...own(
    'nodes',
    (value) => /^0+$/.test(value) || readNodes(value) !== undefined,
    255,
    (value) => `"${value}" is not a valid node count`,
  ),
  ...specified('mem mem-per-cpu mem-per-gpu tmp', (value) => readMemory(value) !== undefined),
  ...specified('time time-min', (value) => readTime(value) !== undefined),
  ...specified('open-mode', like(/^[at]/i)),
  ...specified('exclusive', like(/^(?:|user|mcs)$/)),
  ...specified(
    'distribution',
    like(new RegExp(`^(?:(?:no)?pack|(?:${ways}|plane=\\d+|arbitrary)(?::${ways}){0,2}(?:,(?:no)?pack)?)$`, 'i')),
  ),
  ...specified('gres-flags', names('disable-binding enforce-binding')),
  ...specified('mail-type', (value) => value.split(',').every(names(mails))),
  ...specified(
    'signal',
    like(
      /^(?:[BR]+:)?(?:SIG)?(?:\d+|HUP|INT|QUIT|ABRT|KILL|ALRM|TERM|URG|USR1|USR2|CONT|STOP|TSTP|TTIN|TTOU)(?:@\d+)?$/i,
    ),
  ),
  ...specified('kill-on-invalid-dep', names('yes no')),
  ...own(
    'gres',
    (value) => value.split(',').every(like(/^(?:none|gpu(?::.*)?)$/i)),
    1,
    () => 'Invalid generic resource (gres) specification',
  ),
  ...own(
    'hint',
    names('compute_bound memory_bound multithread nomultithread help'),
    1,
    (value) => `unrecognized --hint argument "${value}", see --hint=help`,
  ),
  ...own(
    'cpu-bind',
    (value) =>
      withoutLists(value).every((word, at, all) =>
        at < all.length - 1 ? loud(word) : loud(word) || names(bindings)(word),
      ),
    1,
    (value) => `unrecognized --cpu-bind argument "${value}"`,
  ),
  ...own(
    'mem-bind',
    (value) =>
      withoutLists(value).every((word) => loud(word) || names('none no rank local prefer sort nosort help')(word)),
    255,
    (value) => `unrecognized --mem-bind argument "${value}"`,
  ),
  ...own(
    'profile',
    (value) => value.split(',').every(names('none all energy task lustre filesystem network')),
    255,
    (value) => `invalid --profile=${value} option`,
  ),
  ...own(
    'mpi',
    like(/^(?:none|list|pmi2|pmix(?:_v\d)?|cray_shasta|openmpi)$/),
    1,
    (value) => `Couldn't find the specified plugin name for mpi/${value} looking at all files`,
  ),
]);

const loud = names('q quiet v verbose');

/** Keywords of `--cpu-bind` and its like; a list of CPUs or masks at the end counts as `none`. */
function withoutLists(value: string): string[] {
  return value.replace(/\b(?:map|mask)_(?:cpu|ldom|mem):[\da-fx,*-]+$/i, 'none').split(',');
}

/** Answer to the first value of an option that Slurm's commands do not take; `undefined` where they take all. */
export function refusalOfValues(command: string, options: Options): Refusal | undefined {
  for (const [name, values] of options) {
    const check = checks.get(name);
    const bad = check === undefined ? undefined : values.find((value) => !check.takes(value));
    if (check !== undefined && bad !== undefined) {
      return { stderr: `${command}: error: ${check.says(name, bad)}\n`, code: check.code };
    }
  }
  if (options.has('mem') && options.has('mem-per-cpu')) {
    const why = '--mem, --mem-per-cpu, and --mem-per-gpu are mutually exclusive.';
    return { stderr: `${command}: fatal: ${why}\n`, code: 1 };
  }
  return undefined;
}
