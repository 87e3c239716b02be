import type { MemoryBudget } from '../memory/memory-budget.js';
import type { Reply } from '../resp/reply.js';
import type { CommandFacts, Prepared } from './command-facts.js';

/** A queued word costs this beside its bytes. */
const wordOverheadBytes = 96;

/** A command that waits for EXEC. */
export interface QueuedCommand {
  readonly command: CommandFacts;
  /** Its own, not views of what a socket has read. */
  readonly words: Buffer[];
  readonly run: () => Reply | Promise<Reply>;
  readonly prepare: (() => Promise<Prepared> | undefined) | undefined;
}

/** Commands since MULTI, with the memory that is set aside for them. */
export class Transaction {
  readonly commands: QueuedCommand[] = [];
  readonly #memory: MemoryBudget;
  /** A command was refused: EXEC will refuse all. */
  refused = false;
  #bytes = 0;

  constructor(memory: MemoryBudget) {
    this.#memory = memory;
  }

  /** Bytes of all words. */
  get bytes(): number {
    return this.#bytes;
  }

  /** False if there is no memory for it. */
  add(queued: QueuedCommand): boolean {
    let bytes = 0;
    for (const word of queued.words) bytes += word.length + wordOverheadBytes;
    if (!this.#memory.reserve(bytes)) return false;
    this.#bytes += bytes;
    this.commands.push(queued);
    return true;
  }

  /** Gives the memory back. */
  end(): void {
    this.#memory.release(this.#bytes);
    this.#bytes = 0;
    this.commands.length = 0;
  }
}
