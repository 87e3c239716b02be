import { ok, SimpleString } from '../resp/reply.js';
import { type Command, CommandError } from './command.js';
import type { ServerFacts } from './server-facts.js';
import { keyword } from './words.js';

function checkPossible({ saving }: ServerFacts): void {
  if (saving.file === undefined)
    throw new CommandError(
      'ERR there is no file to save to: this orchestrator was started without one (simwright orchestrator --checkpoint SECONDS FILE)',
    );
}

async function saveNow(server: ServerFacts): Promise<void> {
  checkPossible(server);
  try {
    await server.saving.save();
  } catch (error) {
    throw new CommandError(`ERR the checkpoint failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** `SAVE`: answers when the checkpoint is on disk; others are served meanwhile. */
export const save: Command = {
  name: 'save',
  arity: 1,
  flags: ['admin'],
  keys: [0, 0, 0],
  inTransaction: 'refused',
  mayNest: true,
  async run({ server }) {
    await saveNow(server);
    return ok;
  },
};

/** `BGSAVE [SCHEDULE]` */
export const bgsave: Command = {
  name: 'bgsave',
  arity: -1,
  flags: ['admin'],
  keys: [0, 0, 0],
  run({ server }, words) {
    if (words.length > 2 || (words.length === 2 && keyword(words[1]) !== 'SCHEDULE')) {
      throw new CommandError('ERR syntax error');
    }
    checkPossible(server);
    if (server.saving.inProgress && words.length === 1) {
      throw new CommandError('ERR Background save already in progress');
    }
    // Its failure is told by INFO and the log.
    server.saving.save().catch(() => undefined);
    return new SimpleString('Background saving started');
  },
};

/** `LASTSAVE`: seconds since 1970. */
export const lastsave: Command = {
  name: 'lastsave',
  arity: 1,
  flags: ['admin', 'fast'],
  keys: [0, 0, 0],
  run: ({ server }) => Math.floor(server.saving.lastMs / 1000),
};

/** `SHUTDOWN [NOSAVE | SAVE]`: saves where that was asked for when the server was started, and ends it. */
export const shutdown: Command = {
  name: 'shutdown',
  arity: -1,
  flags: ['admin'],
  keys: [0, 0, 0],
  inTransaction: 'refused',
  async run({ client, server }, words) {
    const mode = words.length === 2 ? keyword(words[1]) : '';
    if (words.length > 2 || (words.length === 2 && mode !== 'NOSAVE' && mode !== 'SAVE')) {
      throw new CommandError('ERR syntax error');
    }
    const { shutDown } = server;
    if (shutDown === undefined) {
      throw new CommandError('ERR this orchestrator is ended by the job that it belongs to, not by a client');
    }
    if (mode === 'SAVE' || (mode === '' && server.saving.isAsked)) await saveNow(server);
    client.quitting = true;
    setImmediate(shutDown);
    return ok;
  },
};
