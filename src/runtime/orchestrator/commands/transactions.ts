import { ErrorReply, nilArray, ok, type Reply } from '../resp/reply.js';
import { forgetTransaction } from './client-facts.js';
import { type Command, type CommandContext, CommandError, type Prepared } from './command.js';
import { refusalOf } from './refusal.js';
import { type QueuedCommand, Transaction } from './transaction.js';
import { WatchedKeys } from './watched-keys.js';
import { latin1 } from './words.js';

type Runs = Pick<Command, 'arity' | 'keys' | 'run'> & { readonly name: string };

function runsAtOnce({ name, arity, keys, run }: Runs): Command {
  return { name, arity, flags: ['fast'], keys, inTransaction: 'runs', run };
}

/** `MULTI`: commands are queued until EXEC. */
export const multi = runsAtOnce({
  name: 'multi',
  arity: 1,
  keys: [0, 0, 0],
  run({ client, server }) {
    if (client.transaction !== undefined) throw new CommandError('ERR MULTI calls can not be nested');
    client.transaction = new Transaction(server.memory);
    return ok;
  },
});

/** `DISCARD`: forgets what is queued and watched. */
export const discard = runsAtOnce({
  name: 'discard',
  arity: 1,
  keys: [0, 0, 0],
  run({ client }) {
    if (client.transaction === undefined) throw new CommandError('ERR DISCARD without MULTI');
    forgetTransaction(client);
    return ok;
  },
});

/** `WATCH key…`: EXEC runs nothing if one of them changes before it. */
export const watch = runsAtOnce({
  name: 'watch',
  arity: -2,
  keys: [1, -1, 1],
  run({ client, keyspace }, words) {
    if (client.transaction !== undefined) throw new CommandError('ERR WATCH inside MULTI is not allowed');
    client.watched ??= new WatchedKeys(keyspace);
    for (const word of words.slice(1)) client.watched.add(latin1(word));
    return ok;
  },
});

/** `UNWATCH` */
export const unwatch: Command = {
  name: 'unwatch',
  arity: 1,
  flags: ['fast'],
  keys: [0, 0, 0],
  run({ client }) {
    client.watched?.end();
    client.watched = undefined;
    return ok;
  },
};

/** `EXEC`: runs what is queued, all of it with nothing in between, or nothing. */
export const exec: Command = {
  name: 'exec',
  arity: 1,
  flags: [],
  keys: [0, 0, 0],
  inTransaction: 'runs',
  run(context) {
    const { client } = context;
    if (client.transaction === undefined) throw new CommandError('ERR EXEC without MULTI');
    const { refused, commands } = client.transaction;
    if (refused) {
      forgetTransaction(client);
      throw new CommandError('EXECABORT Transaction discarded because of previous errors.');
    }
    if (!commands.some(({ prepare }) => prepare !== undefined)) return runAll(context, new Map());
    return prepareAll(commands).then((prepared) => runAll(context, prepared));
  },
};

type Outcome = Prepared | ErrorReply;

/** Does beforehand what takes time; what fails there is the command's reply. */
async function prepareAll(commands: readonly QueuedCommand[]): Promise<Map<QueuedCommand, Outcome>> {
  const prepared = new Map<QueuedCommand, Outcome>();
  for (const queued of commands) {
    try {
      const outcome = await queued.prepare?.();
      if (outcome !== undefined) prepared.set(queued, outcome);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      prepared.set(queued, refusal);
    }
  }
  return prepared;
}

/** Values that must be read later are those of now: values never change, only what keys hold does. */
function runAll(context: CommandContext, prepared: ReadonlyMap<QueuedCommand, Outcome>): Reply | Promise<Reply> {
  const { client, server } = context;
  const commands = [...(client.transaction?.commands ?? [])];
  const changed = client.watched?.changed === true;
  forgetTransaction(client);
  if (changed) {
    for (const outcome of prepared.values()) if (!(outcome instanceof ErrorReply)) outcome.drop();
    showExec(context);
    return nilArray;
  }
  client.executing = true;
  try {
    const replies = commands.map((queued) => {
      if (server.monitors.active) server.monitors.show(client, queued.command, queued.words);
      const reply = replyOf(queued, prepared.get(queued));
      if (reply instanceof ErrorReply) void context.onError?.(queued.words, reply);
      return reply;
    });
    showExec(context);
    if (!replies.some((reply) => reply instanceof Promise)) return replies as Reply[];
    return Promise.all(replies);
  } finally {
    client.executing = false;
  }
}

/** Monitors see it after what it runs. */
function showExec({ client, server }: CommandContext): void {
  if (server.monitors.active) server.monitors.show(client, exec, [Buffer.from('EXEC')]);
}

function replyOf({ run }: QueuedCommand, prepared: Outcome | undefined) {
  try {
    if (prepared instanceof ErrorReply) return prepared;
    const reply = prepared === undefined ? run() : prepared.commit();
    return reply instanceof Promise ? reply.catch(refused) : reply;
  } catch (error) {
    return refused(error);
  }
}

function refused(error: unknown): Reply {
  const refusal = refusalOf(error);
  if (refusal === undefined) throw error;
  return refusal;
}

export const transactionCommands: readonly Command[] = [multi, exec, discard, watch, unwatch];
