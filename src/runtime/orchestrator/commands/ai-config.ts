import { asBackend } from '../../../ml/backends.js';
import { ok, type Reply } from '../resp/reply.js';
import { type Command, CommandError } from './command.js';
import type { ServerSettings } from './server-facts.js';
import { arityError, integer, keyword, latin1 } from './words.js';

/** Settings that the command reads and changes. */
export interface ConfigContext {
  readonly server: { readonly settings: Pick<ServerSettings, 'modelChunkBytes' | 'backendsPath'> };
}

/** `AI.CONFIG GET name | MODEL_CHUNK_SIZE n | BACKENDSPATH path | LOADBACKEND backend path` */
export const aiConfig: Command<ConfigContext> = {
  name: 'ai.config',
  arity: -2,
  flags: ['admin'],
  keys: [0, 0, 0],
  run({ server }, words) {
    switch (keyword(words[1])) {
      case 'GET': {
        if (words.length < 3) throw arityError('ai.config');
        const name = keyword(words[2]);
        if (name === 'MODEL_CHUNK_SIZE') return server.settings.modelChunkBytes;
        return name === 'BACKENDSPATH' ? Buffer.from(server.settings.backendsPath, 'latin1') : null;
      }
      // `AI.CONFIG SET NAME VALUE` is not RedisAI's form, but a natural one.
      case 'SET':
        return set(server.settings, words, 2);
      case 'LOADBACKEND':
        if (words.length !== 4) throw arityError('ai.config');
        if (asBackend(keyword(words[2])) === undefined) throw new CommandError('ERR unsupported backend');
        // Whoever starts this process chooses what it runs, never a client.
        throw new CommandError('ERR error loading backend');
      default:
        return set(server.settings, words, 1);
    }
  },
};

function set(settings: ConfigContext['server']['settings'], words: readonly Buffer[], at: number): Reply {
  const value = words[at + 1];
  switch (keyword(words[at])) {
    case 'MODEL_CHUNK_SIZE': {
      if (value === undefined) throw new CommandError('ERR MODEL_CHUNK_SIZE: missing chunk size');
      const bytes = integer(value);
      if (bytes === undefined || bytes <= 0) throw new CommandError('ERR MODEL_CHUNK_SIZE: invalid chunk size');
      settings.modelChunkBytes = bytes;
      return ok;
    }
    case 'BACKENDSPATH':
      if (value === undefined) throw new CommandError('ERR BACKENDSPATH: missing path argument');
      // Kept and told, never opened.
      settings.backendsPath = latin1(value);
      return ok;
    default:
      throw new CommandError('ERR unsupported subcommand');
  }
}
