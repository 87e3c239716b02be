import { ownBytes } from '../bytes/lendable-bytes.js';
import { type ClientFacts, type Command, type CommandContext, CommandError } from '../commands/command.js';
import { refusalOf } from '../commands/refusal.js';
import { mostWords, outOfMemoryText } from '../commands/room.js';
import { commandOf } from '../commands/table.js';
import type { QueuedCommand, Transaction } from '../commands/transaction.js';
import { ErrorReply, type Reply, SimpleString } from '../resp/reply.js';

/** The answer where memory is used up. */
export const outOfMemory = new ErrorReply(outOfMemoryText);

const queued = new SimpleString('QUEUED');

/** Hears of a command before it runs. */
export type OnCommand = (client: ClientFacts, words: readonly Buffer[]) => void;

/** Runs requests. Never throws: whatever goes wrong becomes an error reply. */
export class Dispatcher {
  readonly #onBug: (error: unknown) => void;

  readonly #onRequest: OnCommand | undefined;

  /** `onBug` hears of errors that no command should make, `onRequest` of every request. */
  constructor(onBug: (error: unknown) => void, onRequest?: OnCommand) {
    this.#onBug = onBug;
    this.#onRequest = onRequest;
  }

  run(context: CommandContext, words: Buffer[]): Reply | Promise<Reply> {
    const { client, server } = context;
    let accepted = false;
    try {
      this.#onRequest?.(client, words);
      const command = commandOf(words);
      if (words.length > mostWords) throw new CommandError(`ERR a request has at most ${mostWords} words here`);
      if (client.transaction !== undefined && command.inTransaction !== 'runs') {
        const queuing = queue(context, client.transaction, command, words);
        return queuing instanceof ErrorReply ? refused(context, words, queuing) : queuing;
      }
      accepted = true;
      if (server.monitors.active && command.name !== 'exec') server.monitors.show(client, command, words);
      if (command.flags.includes('denyoom') && !server.memory.hasRoom(bytesOf(words))) {
        return refused(context, words, outOfMemory);
      }
      const reply = command.run(context, command.keepsWords === true ? words.map(ownBytes) : words);
      if (context.blocked.hasReady) context.blocked.serve();
      if (!(reply instanceof Promise)) {
        return reply instanceof ErrorReply ? refused(context, words, reply) : reply;
      }
      const names = context.onError === undefined ? words : copyOfNames(words);
      return reply.then(
        (late) => (late instanceof ErrorReply ? refused(context, names, late) : late),
        (error: unknown) => refused(context, names, this.#errorReply(error)),
      );
    } catch (error) {
      if (!accepted && client.transaction !== undefined) client.transaction.refused = true;
      return refused(context, words, this.#errorReply(error));
    }
  }

  #errorReply(error: unknown): ErrorReply {
    const refusal = refusalOf(error);
    if (refusal !== undefined) return refusal;
    this.#onBug(error);
    return new ErrorReply(`ERR internal error: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Most words of a request, and most bytes of each, that are kept to say what the request is about. */
const most = { words: 64, bytes: 128 };

/** Copies the words as they are now: the memory that requests are read into is used again. */
function copyOfNames(words: readonly Buffer[]): readonly Buffer[] {
  return words.slice(0, most.words).map((word) => Buffer.from(word.subarray(0, most.bytes)));
}

/** An error reply, ready once it has been recorded where a record of errors is kept. */
export function refused(
  { onError }: CommandContext,
  words: readonly Buffer[],
  reply: ErrorReply,
): Reply | Promise<Reply> {
  const noted = onError?.(words, reply);
  return noted === undefined ? reply : noted.then(() => reply);
}

function queue(context: CommandContext, transaction: Transaction, command: Command, words: Buffer[]): Reply {
  if (command.inTransaction === 'refused') throw new CommandError('ERR Command not allowed inside a transaction');
  const full = command.flags.includes('denyoom') && !context.server.memory.hasRoom(bytesOf(words));
  if (!full && transaction.add(queuedCommand(context, command, words.map(ownBytes)))) return queued;
  transaction.refused = true;
  return outOfMemory;
}

function queuedCommand(context: CommandContext, command: Command, words: Buffer[]): QueuedCommand {
  const { prepare } = command;
  return {
    command,
    words,
    // As RedisAI and a server do: the others are run, and EXEC's reply has the error in its place.
    run: command.inTransaction === 'execution' ? refuseToExecute : () => command.run(context, words),
    prepare: prepare === undefined ? undefined : () => command.prepare?.(context, words),
  };
}

function refuseToExecute(): never {
  throw new CommandError('ERR Cannot run RedisAI command within a transaction or a LUA script');
}

function bytesOf(words: readonly Buffer[]): number {
  let bytes = 0;
  for (const word of words) bytes += word.length;
  return bytes;
}
