import { ok } from '../resp/reply.js';
import { type Command, CommandError } from './command.js';
import { arityError, integer, keyword } from './words.js';

/** `AI.CONFIG GET MODEL_CHUNK_SIZE | MODEL_CHUNK_SIZE n`, and RedisAI's words about backends. */
export const aiConfig: Command = {
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
        return name === 'BACKENDSPATH' ? '' : null;
      }
      // `AI.CONFIG SET NAME VALUE` is not RedisAI's form, but a natural one.
      case 'SET':
        return setChunkSize(server.settings, words, 2);
      case 'MODEL_CHUNK_SIZE':
        return setChunkSize(server.settings, words, 1);
      case 'LOADBACKEND':
        if (words.length < 4) throw arityError('ai.config');
        throw new CommandError('ERR error loading backend');
      default:
        throw new CommandError('ERR unsupported subcommand');
    }
  },
};

function setChunkSize(settings: { modelChunkBytes: number }, words: readonly Buffer[], at: number) {
  if (keyword(words[at]) !== 'MODEL_CHUNK_SIZE') throw new CommandError('ERR unsupported subcommand');
  if (words.length <= at + 1) throw new CommandError('ERR MODEL_CHUNK_SIZE: missing chunk size');
  const bytes = integer(words[at + 1]);
  if (bytes === undefined || bytes <= 0) throw new CommandError('ERR MODEL_CHUNK_SIZE: invalid chunk size');
  settings.modelChunkBytes = bytes;
  return ok;
}
