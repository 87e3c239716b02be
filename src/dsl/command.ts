import * as z from 'zod';
import { callerLocation, type Problem } from '../diagnostics/index.js';
import {
  type Authored,
  type AuthoredCommand,
  authoredCommand,
  type CommandDeclaration,
  type EnvValue,
  LauncherName,
} from '../ir/index.js';
import { hostNames, memory, natural, nonEmptyText, plainText, positive, walltime } from '../ir/options/index.js';
import { type Container, containerNode } from './apptainer.js';
import { Arguments, deepFreeze, inexact, isExact, show } from './arguments.js';
import {
  type EnvironmentReference,
  environmentNode,
  isEnvironmentReference,
  variableName,
} from './environment-reference.js';
import { warnOfSecrets, warnOfSecretsInWords } from './secrets.js';

/** An executable with its arguments and sizes. Every call returns a new command. */
export interface Command extends AuthoredCommand {
  /** Tasks (MPI ranks) in all. @default 1 */
  tasks(n: number): Command;
  /** Nodes the tasks are spread over. @default as few as hold them */
  nodes(n: number): Command;
  /** Tasks on each node. */
  tasksPerNode(n: number): Command;
  /** CPUs of each task. @default 1 */
  cpusPerTask(n: number): Command;
  /** GPUs of each task. */
  gpusPerTask(n: number): Command;
  /** GPUs on each node. */
  gpusPerNode(n: number): Command;
  /** Memory on each node: `'8G'`, units K, M, G, T (powers of 1024). */
  memoryPerNode(amount: string): Command;
  /** Time that one run may take: `'00:10:00'`, `'1-12:00:00'`, `'PT10M'`. */
  walltime(time: string): Command;
  /** Variables of its environment; they reach the application byte for byte. Secrets are given by `fromEnvironment()`. */
  env(variables: Readonly<Record<string, string | number | bigint | boolean | EnvironmentReference>>): Command;
  /** Hosts to run on, by name. @default the job's nodes, as the launcher chooses */
  hosts(names: readonly string[]): Command;
  /** Hosts not to run on, by name. */
  excludeHosts(names: readonly string[]): Command;
  /** CPUs that the tasks of a node are bound to, by number, in the order of the tasks. @default as the launcher does */
  cpuBind(cpus: readonly number[]): Command;
  /** Program that starts the tasks. @default the site's */
  launcher(name: LauncherName): Command;
  /** Options of the launcher: `{ mpi: 'pmix', exclusive: true }`. `true` is the flag alone, `false` none; calls add up. */
  launcherArgs(options: Readonly<Record<string, string | number | boolean>>): Command;
  /** Further programs of the same launch (MPMD), each with sizes of its own. */
  mpmd(...commands: readonly [Command, ...Command[]]): Command;
  /** Runs it in a container. */
  container(container: Container): Command;
}

/**
 * A command line, word by word: no shell reads it.
 *
 * A bare name (`'python3'`) is looked up in the job's PATH, a relative path (`'./lbm'`) has to be attached. The words `{args}`, `{dir}`,
 * `{name}` and `{hosts}` stand for the member's own arguments, directory, name and hosts; write `{{args}}` for the text itself.
 *
 * @example command('./lbm', '--steps=3000').tasks(32).nodes(2)
 */
export function command(executable: string, ...args: readonly (string | number | bigint)[]): Command {
  const checked = new Arguments('command()', callerLocation(command));
  const words = checked.take(
    z.array(z.union([plainText, z.number(), z.bigint()], 'an argument is a text or a number').refine(isExact, inexact)),
    args,
    'its arguments',
  );
  warnOfSecretsInWords(checked, (words ?? []).map(String));
  return new CommandBuilder({
    declaration: {
      kind: 'command',
      at: checked.at,
      executable: checked.take(nonEmptyText, executable, 'the executable') ?? 'unknown',
      args: (words ?? []).map(String),
    },
    problems: checked.problems.sorted(),
  });
}

type Size = 'tasks' | 'nodes' | 'tasksPerNode' | 'cpusPerTask' | 'gpusPerTask' | 'gpusPerNode';

const launcherOption = z.string().regex(/^[^\s=\p{Cc}]+$/u, "it is one word without '='");
const launcherValue = z
  .union([plainText, z.number(), z.boolean()], 'a text, a number or a boolean is needed')
  .refine(isExact, inexact);
const variableValue = z.union([plainText, z.number(), z.bigint(), z.boolean()]).refine(isExact, inexact);

/** Refuses settings that all programs of a launch share, if one program has its own. */
function checkPart(checked: Arguments, part: CommandDeclaration): void {
  const refuse = (what: string) => {
    const message = `.mpmd(): ${show(part.executable)} has ${what} of its own, and all programs of a launch share one`;
    checked.problems.error('DSL1014', message, checked.at, 'say it of the command that .mpmd() is called on');
  };
  if (part.launcher !== undefined) refuse('a launcher');
  if (part.walltimeSeconds !== undefined) refuse('a walltime');
  if (part.mpmd !== undefined) {
    const message = `.mpmd(): ${show(part.executable)} has further programs itself`;
    checked.problems.error('DSL1014', message, checked.at, 'name all programs in one .mpmd()');
  }
}

class CommandBuilder implements Command {
  readonly [authoredCommand]: Authored<CommandDeclaration>;

  constructor(authored: Authored<CommandDeclaration>) {
    this[authoredCommand] = deepFreeze(authored);
  }

  tasks(n: number): Command {
    return this.#size('tasks', n, new Arguments('.tasks()', callerLocation(this.tasks)));
  }

  nodes(n: number): Command {
    return this.#size('nodes', n, new Arguments('.nodes()', callerLocation(this.nodes)));
  }

  tasksPerNode(n: number): Command {
    return this.#size('tasksPerNode', n, new Arguments('.tasksPerNode()', callerLocation(this.tasksPerNode)));
  }

  cpusPerTask(n: number): Command {
    return this.#size('cpusPerTask', n, new Arguments('.cpusPerTask()', callerLocation(this.cpusPerTask)));
  }

  gpusPerTask(n: number): Command {
    return this.#size('gpusPerTask', n, new Arguments('.gpusPerTask()', callerLocation(this.gpusPerTask)));
  }

  gpusPerNode(n: number): Command {
    return this.#size('gpusPerNode', n, new Arguments('.gpusPerNode()', callerLocation(this.gpusPerNode)));
  }

  memoryPerNode(amount: string): Command {
    const checked = new Arguments('.memoryPerNode()', callerLocation(this.memoryPerNode));
    const memoryPerNodeMiB = checked.quantity(memory, amount);
    return this.#with(memoryPerNodeMiB === undefined ? {} : { memoryPerNodeMiB }, checked);
  }

  walltime(time: string): Command {
    const checked = new Arguments('.walltime()', callerLocation(this.walltime));
    const walltimeSeconds = checked.quantity(walltime, time);
    return this.#with(walltimeSeconds === undefined ? {} : { walltimeSeconds }, checked);
  }

  env(variables: Readonly<Record<string, string | number | bigint | boolean | EnvironmentReference>>): Command {
    const checked = new Arguments('.env()', callerLocation(this.env));
    const env: Record<string, EnvValue> = { ...this[authoredCommand].declaration.env };
    const given = checked.take(z.record(z.string(), z.unknown()), variables, 'its variables') ?? {};
    for (const [name, value] of Object.entries(given)) {
      if (!variableName.test(name)) {
        checked.problems.error('DSL1002', `.env(): '${name}' is no name of an environment variable`, checked.at);
        continue;
      }
      const usable = isEnvironmentReference(value)
        ? environmentNode(checked, value)
        : checked.take(variableValue, value, name);
      if (usable !== undefined) env[name] = typeof usable === 'object' ? usable : String(usable);
    }
    warnOfSecrets(checked, Object.entries(given));
    return this.#with({ env }, checked);
  }

  hosts(names: readonly string[]): Command {
    const checked = new Arguments('.hosts()', callerLocation(this.hosts));
    const hosts = checked.take(hostNames, names, 'the list of hosts');
    return this.#with(hosts === undefined ? {} : { hosts }, checked);
  }

  excludeHosts(names: readonly string[]): Command {
    const checked = new Arguments('.excludeHosts()', callerLocation(this.excludeHosts));
    const excludeHosts = checked.take(hostNames, names, 'the list of hosts');
    return this.#with(excludeHosts === undefined ? {} : { excludeHosts }, checked);
  }

  cpuBind(cpus: readonly number[]): Command {
    const checked = new Arguments('.cpuBind()', callerLocation(this.cpuBind));
    const cpuBind = checked.take(z.array(natural).min(1, 'at least one CPU is needed'), cpus, 'the list of CPUs');
    return this.#with(cpuBind === undefined ? {} : { cpuBind }, checked);
  }

  launcher(name: LauncherName): Command {
    const checked = new Arguments('.launcher()', callerLocation(this.launcher));
    const launcher = checked.choice(LauncherName.options, name, 'the launcher');
    if (name === undefined) checked.take(LauncherName, name, 'the launcher');
    return this.#with(launcher === undefined ? {} : { launcher }, checked);
  }

  launcherArgs(options: Readonly<Record<string, string | number | boolean>>): Command {
    const checked = new Arguments('.launcherArgs()', callerLocation(this.launcherArgs));
    const given = checked.take(z.record(z.string(), z.unknown()), options, 'its options') ?? {};
    const pairs: [string, string | number | boolean][] = [];
    for (const [name, value] of Object.entries(given)) {
      const text = checked.take(launcherValue, value, show(name));
      if (checked.take(launcherOption, name, 'the name of an option') !== undefined && text !== undefined) {
        pairs.push([name, text]);
      }
    }
    const before = this[authoredCommand].declaration.launcherArgs;
    return this.#with({ launcherArgs: { ...before, ...Object.fromEntries(pairs) } }, checked);
  }

  mpmd(...commands: readonly Command[]): Command {
    const checked = new Arguments('.mpmd()', callerLocation(this.mpmd));
    const parts: CommandDeclaration[] = [];
    for (const command of commands) {
      const authored = command?.[authoredCommand];
      if (authored === undefined) {
        const message = `.mpmd(): ${show(command)} is no command`;
        checked.problems.error('DSL1001', message, checked.at, "write command('./program', 'argument')");
        continue;
      }
      checked.problems.add(authored.problems);
      checkPart(checked, authored.declaration);
      parts.push(authored.declaration);
    }
    if (commands.length === 0) checked.problems.error('DSL1001', '.mpmd() needs at least one command', checked.at);
    const before = this[authoredCommand].declaration.mpmd ?? [];
    return this.#with(parts.length === 0 ? {} : { mpmd: [...before, ...parts] }, checked);
  }

  container(container: Container): Command {
    const checked = new Arguments('.container()', callerLocation(this.container));
    const node = containerNode(checked, container);
    return this.#with(node === undefined ? {} : { container: node }, checked);
  }

  #size(name: Size, value: number, checked: Arguments): Command {
    const size = checked.take(positive, value, 'its number');
    return this.#with(size === undefined ? {} : { [name]: size }, checked);
  }

  #with(change: Partial<CommandDeclaration>, checked: Arguments): Command {
    const { declaration, problems } = this[authoredCommand];
    return new CommandBuilder({
      declaration: { ...declaration, ...change },
      problems: [...problems, ...checked.problems.sorted()] satisfies Problem[],
    });
  }
}
