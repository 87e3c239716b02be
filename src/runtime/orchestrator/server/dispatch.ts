import { type ClientFacts, type CommandContext, CommandError } from '../commands/command.js';
import { commandOf } from '../commands/table.js';
import { InferenceError } from '../inference/index.js';
import { ErrorReply, type Reply } from '../resp/reply.js';
import { ownBytes } from '../store/lendable-bytes.js';
import { WrongTypeError } from '../store/wrong-type-error.js';

/** Redis's words for memory that is used up. */
export const outOfMemory = new ErrorReply("OOM command not allowed when used memory > 'maxmemory'.");

/** Runs requests. Never throws: whatever goes wrong becomes an error reply. */
export class Dispatcher {
  readonly #onBug: (error: unknown) => void;

  readonly #onCommand: ((client: ClientFacts, words: readonly Buffer[]) => void) | undefined;

  /** `onBug` hears of errors that no command should make, `onCommand` of every command. */
  constructor(onBug: (error: unknown) => void, onCommand?: (client: ClientFacts, words: readonly Buffer[]) => void) {
    this.#onBug = onBug;
    this.#onCommand = onCommand;
  }

  run(context: CommandContext, words: Buffer[]): Reply | Promise<Reply> {
    try {
      this.#onCommand?.(context.client, words);
      const command = commandOf(words);
      if (command.flags.includes('denyoom') && isFull(context, words)) return refused(context, words, outOfMemory);
      const reply = command.run(context, command.keepsWords === true ? words.map(ownBytes) : words);
      if (!(reply instanceof Promise)) {
        return reply instanceof ErrorReply ? refused(context, words, reply) : reply;
      }
      const names = context.onError === undefined ? words : copyOfNames(words);
      return reply.then(
        (late) => (late instanceof ErrorReply ? refused(context, names, late) : late),
        (error: unknown) => refused(context, names, this.#errorReply(error)),
      );
    } catch (error) {
      return refused(context, words, this.#errorReply(error));
    }
  }

  #errorReply(error: unknown): ErrorReply {
    if (error instanceof CommandError || error instanceof WrongTypeError || error instanceof InferenceError) {
      return new ErrorReply(error.message);
    }
    this.#onBug(error);
    return new ErrorReply(`ERR internal error: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Words of a request, and bytes of each, that say what it is about. */
const most = { words: 64, bytes: 128 };

/** The words as they are now: memory that requests are read into is used again. */
function copyOfNames(words: readonly Buffer[]): readonly Buffer[] {
  return words.slice(0, most.words).map((word) => Buffer.from(word.subarray(0, most.bytes)));
}

/** An error reply, once whoever keeps a record of them has it. */
export function refused(
  { onError }: CommandContext,
  words: readonly Buffer[],
  reply: ErrorReply,
): Reply | Promise<Reply> {
  const noted = onError?.(words, reply);
  return noted === undefined ? reply : noted.then(() => reply);
}

/** Whether what the request brings does not fit, having made what room there is to make. */
function isFull({ store, server: { settings } }: CommandContext, words: readonly Buffer[]): boolean {
  const limit = settings.maxMemoryBytes;
  if (limit === 0) return false;
  let incoming = 0;
  for (const word of words) incoming += word.length;
  if (store.usedBytes + incoming <= limit) return false;
  return incoming > limit || !store.makeRoom(limit - incoming, settings.evictionPolicy);
}
