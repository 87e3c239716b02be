import type { InboundMemory } from '../resp/inbound-memory.js';
import type { Command } from './command.js';

/** A queued word costs this beside its bytes. */
const wordOverheadBytes = 96;

/** A command that waits for EXEC. */
export interface QueuedCommand {
  readonly command: Command;
  /** Its own, not views of what a socket has read. */
  readonly words: Buffer[];
}

/** Commands since MULTI, with the memory that is set aside for them. */
export class Transaction {
  readonly commands: QueuedCommand[] = [];
  readonly #memory: InboundMemory;
  /** A command was refused: EXEC will refuse all. */
  refused = false;
  #bytes = 0;

  constructor(memory: InboundMemory) {
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
