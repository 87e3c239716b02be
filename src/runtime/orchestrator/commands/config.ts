import { ok, type Reply } from '../resp/reply.js';
import { matchesGlob } from '../store/glob.js';
import { type Command, CommandError } from './command.js';
import type { ServerFacts } from './server-facts.js';
import { arityError, keyword, latin1 } from './words.js';

/** `CONFIG GET pattern… | SET name value… | RESETSTAT` */
export const config: Command = {
  name: 'config',
  arity: -2,
  flags: ['admin'],
  keys: [0, 0, 0],
  run({ server }, words) {
    switch (keyword(words[1])) {
      case 'GET': {
        if (words.length < 3) throw arityError('config|get');
        return words.slice(2).flatMap((word) => matching(parameters(server), latin1(word)));
      }
      case 'SET':
        if (words.length < 4) throw arityError('config|set');
        return setParameters(server, words);
      case 'RESETSTAT':
        return ok;
      default:
        throw new CommandError(`ERR unknown subcommand '${latin1(words[1])}'. Try CONFIG HELP.`);
    }
  },
};

/** Names and values in turn; a name in full is given back as it was written. */
function matching(all: Readonly<Record<string, string>>, pattern: string): string[] {
  const value = all[pattern.toLowerCase()];
  if (value !== undefined) return [pattern, value];
  return Object.entries(all)
    .filter(([name]) => matchesGlob(pattern.toLowerCase(), name))
    .flat();
}

/** What follows from how the server was started, and after it what clients may change. */
function parameters({ limits, port, settings }: ServerFacts): Readonly<Record<string, string>> {
  return {
    port: String(port()),
    maxclients: String(limits.maxClients),
    maxmemory: String(limits.maxMemoryBytes),
    'maxmemory-policy': 'noeviction',
    'proto-max-bulk-len': String(limits.maxBulkBytes),
    appendonly: 'no',
    save: '',
    ...Object.fromEntries(settings.parameters),
  };
}

function setParameters(server: ServerFacts, words: readonly Buffer[]): Reply {
  const changes: [string, string][] = [];
  for (let at = 2; at < words.length; at += 2) {
    const name = latin1(words[at]).toLowerCase();
    if (words[at + 1] === undefined || !(name in parameters(server))) {
      throw new CommandError(`ERR Unknown option or number of arguments for CONFIG SET - '${latin1(words[at])}'`);
    }
    if (!server.settings.parameters.has(name)) {
      throw new CommandError(
        `ERR CONFIG SET failed (possibly related to argument '${name}') - can't set immutable config`,
      );
    }
    changes.push([name, latin1(words[at + 1])]);
  }
  for (const [name, value] of changes) server.settings.parameters.set(name, value);
  return ok;
}
