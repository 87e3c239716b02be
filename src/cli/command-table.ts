import { Command } from 'commander';

/** A command as the list of all shows it, and where its module is. */
interface Entry {
  readonly arguments?: string;
  readonly description: string;
  readonly load: () => Promise<Command>;
}

const commands = {
  check: {
    arguments: '<workflow>',
    description: 'report every problem of a workflow, and write nothing',
    load: async () => (await import('./commands/check.js')).checkCommand(),
  },
  compile: {
    arguments: '<workflow>',
    description: 'write batch scripts, plan and runtime into a folder',
    load: async () => (await import('./commands/compile.js')).compileCommand(),
  },
  diff: {
    arguments: '<workflow>',
    description: 'show what compile would change in a folder, and write nothing',
    load: async () => (await import('./commands/diff.js')).diffCommand(),
  },
  preview: {
    arguments: '<workflow>',
    description: 'show the jobs, entities and stores of a workflow, and write nothing',
    load: async () => (await import('./commands/preview.js')).previewCommand(),
  },
  members: {
    arguments: '<workflow> <ensemble>',
    description: 'list the members of an ensemble with their parameters, and write nothing',
    load: async () => (await import('./commands/members.js')).membersCommand(),
  },
  graph: {
    arguments: '<workflow>',
    description: 'draw entities, stores, ML models and jobs, and write nothing',
    load: async () => (await import('./commands/graph.js')).graphCommand(),
  },
  rehearse: {
    arguments: '<dir>',
    description: "run a compiled folder's own scripts here, against stand-ins for scheduler and launcher",
    load: async () => (await import('./commands/rehearse.js')).rehearseCommand(),
  },
  run: {
    arguments: '<workflow>',
    description: 'compile for this machine and run to the end, with progress',
    load: async () => (await import('./commands/run.js')).runCommand(),
  },
  submit: {
    arguments: '<dir>',
    description: "run a compiled folder's submit.sh: all jobs are queued, or none",
    load: async () => (await import('./commands/submit.js')).submitCommand(),
  },
  status: {
    arguments: '<dir>',
    description: 'show where the jobs, members and stores of a folder stand',
    load: async () => (await import('./commands/status.js')).statusCommand(),
  },
  logs: {
    arguments: '<dir> [name]',
    description: 'show what members have written, attempt by attempt, and why they failed',
    load: async () => (await import('./commands/logs.js')).logsCommand(),
  },
  cancel: {
    arguments: '<dir>',
    description: 'end the jobs of a folder, and wait until they have ended',
    load: async () => (await import('./commands/cancel.js')).cancelCommand(),
  },
  clean: {
    arguments: '<dir>',
    description: 'list the directories that runs have moved aside, with their sizes, and remove them',
    load: async () => (await import('./commands/clean.js')).cleanCommand(),
  },
  orchestrator: {
    description: 'start a tensor store that runs ML models, for SmartRedis clients',
    load: async () => (await import('./commands/orchestrator.js')).orchestratorCommand(),
  },
  tensor: {
    description: 'look at the tensors of a running store',
    load: async () => (await import('./commands/tensor.js')).tensorCommand(),
  },
  site: {
    description: 'list sites, show one, check the file of one, install what compute nodes need',
    load: async () => (await import('./commands/site.js')).siteCommand(),
  },
  engine: {
    description: 'build what stores on Redis and Valkey need',
    load: async () => (await import('./commands/engine.js')).engineCommand(),
  },
  doctor: {
    description: 'check what this machine and its cluster have, and draft a site',
    load: async () => (await import('./commands/doctor.js')).doctorCommand(),
  },
  explain: {
    arguments: '[code]',
    description: 'explain an error code, or list them all',
    load: async () => (await import('./commands/explain.js')).explainCommand(),
  },
} as const satisfies Readonly<Record<string, Entry>>;

export type CommandName = keyof typeof commands;

/** Names of all commands, in the order in which the help shows them. */
export const commandNames = Object.keys(commands) as readonly CommandName[];

/** The command with its options and what it does. */
export async function loadCommand(name: CommandName): Promise<Command> {
  const { load, description } = commands[name];
  return (await load()).description(description);
}

/** The command's line in the help, without its module. */
export function listed(name: CommandName): Command {
  const { description, arguments: words }: Entry = commands[name];
  const command = new Command(name).description(description);
  return words === undefined ? command : command.arguments(words);
}
