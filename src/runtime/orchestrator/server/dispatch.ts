import { type CommandContext, CommandError } from '../commands/command.js';
import { commandOf } from '../commands/table.js';
import { InferenceError } from '../inference/index.js';
import { ErrorReply, type Reply } from '../resp/reply.js';
import { WrongTypeError } from '../store/wrong-type-error.js';

const outOfMemory = new ErrorReply("OOM command not allowed when used memory > 'maxmemory'.");

/** Runs requests. Never throws: whatever goes wrong becomes an error reply. */
export class Dispatcher {
  readonly #onBug: (error: unknown) => void;

  /** `onBug` hears of errors that no command should make. */
  constructor(onBug: (error: unknown) => void) {
    this.#onBug = onBug;
  }

  run(context: CommandContext, words: Buffer[]): Reply | Promise<Reply> {
    try {
      const command = commandOf(words);
      if (command.flags.includes('denyoom') && isFull(context, words)) return outOfMemory;
      const reply = command.run(context, words);
      return reply instanceof Promise ? reply.catch((error: unknown) => this.#errorReply(error)) : reply;
    } catch (error) {
      return this.#errorReply(error);
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

function isFull({ store, server }: CommandContext, words: readonly Buffer[]): boolean {
  const limit = server.limits.maxMemoryBytes;
  if (limit === 0) return false;
  let bytes = store.usedBytes;
  for (const word of words) bytes += word.length;
  return bytes > limit;
}
