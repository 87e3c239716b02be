import * as z from 'zod';
import { callerLocation, type Problem } from '../diagnostics/index.js';
import {
  type Authored,
  type AuthoredCommand,
  authoredCommand,
  type CommandDeclaration,
  parseMemoryMiB,
  parseWalltime,
  walltimeHint,
} from '../ir/index.js';
import { Arguments, deepFreeze, memoryHint, nonEmptyText, plainText, positive } from './arguments.js';

/** An executable with its arguments and sizes. Every call returns a new command. */
export interface Command extends AuthoredCommand {
  /** Tasks (MPI ranks) in all. @default 1 */
  tasks(n: number): Command;
  /** Nodes the tasks are spread over. @default as few as hold them */
  nodes(n: number): Command;
  tasksPerNode(n: number): Command;
  /** CPUs of each task. @default 1 */
  cpusPerTask(n: number): Command;
  gpusPerTask(n: number): Command;
  gpusPerNode(n: number): Command;
  /** Memory on each node: `'8G'`, units K, M, G, T (powers of 1024). */
  memoryPerNode(amount: string): Command;
  /** How long one run takes at most: `'00:10:00'`, `'1-12:00:00'`, `'PT10M'`. */
  walltime(time: string): Command;
  /** Variables of its environment; they reach the application byte for byte. */
  env(variables: Readonly<Record<string, string | number | boolean>>): Command;
}

/**
 * A command line, word by word: no shell reads it.
 *
 * A bare name (`'python3'`) is looked up in the job's PATH, a relative path (`'./lbm'`) has to be attached. The words `{args}`, `{dir}`,
 * `{name}` and `{hosts}` stand for the member's own arguments, directory, name and hosts; write `{{args}}` for the text itself.
 *
 * @example command('./lbm', '--steps=3000').tasks(32).nodes(2)
 */
export function command(executable: string, ...args: readonly (string | number)[]): Command {
  const checked = new Arguments('command()', callerLocation(command));
  const words = checked.take(z.array(plainText), args.map(String), 'its arguments');
  return new CommandBuilder({
    declaration: {
      kind: 'command',
      at: checked.at,
      executable: checked.take(nonEmptyText, executable, 'the executable') ?? 'unknown',
      args: words ?? [],
    },
    problems: checked.problems.sorted(),
  });
}

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

type Size = 'tasks' | 'nodes' | 'tasksPerNode' | 'cpusPerTask' | 'gpusPerTask' | 'gpusPerNode';

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
    const memoryPerNodeMiB = checked.parse('DSL1006', amount, parseMemoryMiB, memoryHint);
    return this.#with(memoryPerNodeMiB === undefined ? {} : { memoryPerNodeMiB }, checked);
  }

  walltime(time: string): Command {
    const checked = new Arguments('.walltime()', callerLocation(this.walltime));
    const walltimeSeconds = checked.parse('DSL1005', time, parseWalltime, walltimeHint);
    return this.#with(walltimeSeconds === undefined ? {} : { walltimeSeconds }, checked);
  }

  env(variables: Readonly<Record<string, string | number | boolean>>): Command {
    const checked = new Arguments('.env()', callerLocation(this.env));
    const env: Record<string, string> = { ...this[authoredCommand].declaration.env };
    for (const [name, value] of Object.entries(variables)) {
      if (!variableName.test(name)) {
        checked.problems.error('DSL1002', `.env(): '${name}' is no name of an environment variable`, checked.at);
        continue;
      }
      const text = checked.take(z.union([plainText, z.number(), z.boolean()]), value, name);
      if (text !== undefined) env[name] = String(text);
    }
    return this.#with({ env }, checked);
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
