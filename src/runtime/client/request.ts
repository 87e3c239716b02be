import type { Writable } from 'node:stream';
import { Command } from 'ioredis';

/** Arguments from this size on are written as they are; smaller ones are copied into one piece. */
const largeBytes = 64 * 1024;

/** A command whose large arguments reach the socket without being copied. Replies are buffers. */
export class Request extends Command {
  readonly #words: readonly (string | Buffer)[];

  constructor(words: readonly (string | Buffer)[]) {
    super(String(words[0]), words.slice(1), { replyEncoding: null });
    this.#words = words;
  }

  override toWritable(socket: object): string | Buffer {
    if (!this.#words.some((word) => word.length >= largeBytes)) return super.toWritable(socket);
    const stream = socket as Writable;
    stream.cork();
    let text = `*${this.#words.length}\r\n`;
    for (const word of this.#words) {
      const bytes = typeof word === 'string' ? Buffer.from(word) : word;
      text += `$${bytes.length}\r\n`;
      stream.write(text);
      stream.write(bytes);
      text = '\r\n';
    }
    process.nextTick(() => stream.uncork());
    return text;
  }
}
