/** A reply as it came: a status or integer as it is, bulks as bytes, errors as errors. */
export type RawReply = string | number | null | Buffer | Error | readonly RawReply[];

/** Reads RESP2 replies from chunks, large ones without copying them more than once. */
export class ReplyReader {
  readonly #chunks: Buffer[] = [];
  #length = 0;
  #ended = false;
  #wake: () => void = () => undefined;
  #unsent: () => number = () => 0;

  feed(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    this.#wake();
  }

  /** The peer has closed. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /**
   * The next reply. Rejects if the peer closes, or if nothing comes for so long and `unsent`, what it has not taken yet,
   * stays the same. Late replies come out of the arrays around them if `unnest`.
   */
  async next(patienceMs: number, unsent: () => number, unnest = true): Promise<RawReply> {
    this.#unsent = unsent;
    const line = await this.#line(patienceMs);
    const rest = line.slice(1);
    switch (line[0]) {
      case '+':
        return rest;
      case '-':
        return new Error(rest);
      case ':':
        return Number(rest);
      case '$': {
        if (rest === '-1') return null;
        const bytes = await this.#take(Number(rest) + 2, patienceMs);
        return bytes.subarray(0, -2);
      }
      case '*': {
        const elements: RawReply[] = [];
        for (let left = Number(rest); left > 0; left -= 1) elements.push(await this.next(patienceMs, unsent, unnest));
        const [only] = elements;
        return unnest && elements.length === 1 && only !== undefined && !Buffer.isBuffer(only) ? only : elements;
      }
      default:
        throw new Error(`no reply: ${JSON.stringify(line.slice(0, 60))}`);
    }
  }

  async #line(patienceMs: number): Promise<string> {
    for (;;) {
      let before = 0;
      for (const chunk of this.#chunks) {
        const at = chunk.indexOf(10);
        if (at !== -1) return (await this.#take(before + at + 1, patienceMs)).toString('latin1').trimEnd();
        before += chunk.length;
      }
      await this.#more(patienceMs);
    }
  }

  async #take(bytes: number, patienceMs: number): Promise<Buffer> {
    while (this.#length < bytes) await this.#more(patienceMs);
    const parts: Buffer[] = [];
    for (let left = bytes; left > 0; ) {
      const chunk = this.#chunks.shift() as Buffer;
      const part = chunk.subarray(0, left);
      if (part.length < chunk.length) this.#chunks.unshift(chunk.subarray(part.length));
      parts.push(part);
      left -= part.length;
    }
    this.#length -= bytes;
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  #more(patienceMs: number): Promise<void> {
    if (this.#ended) return Promise.reject(new Error('the store has closed the connection'));
    return new Promise((resolve, reject) => {
      let unsent = this.#unsent();
      const timer = setInterval(() => {
        if (this.#unsent() === unsent) {
          clearInterval(timer);
          reject(new Error(`the store was silent for ${patienceMs} ms`));
        } else unsent = this.#unsent();
      }, patienceMs);
      const before = this.#length;
      this.#wake = () => {
        if (this.#length === before && !this.#ended) return;
        clearInterval(timer);
        this.#wake = () => undefined;
        if (this.#length === before) reject(new Error('the store has closed the connection'));
        else resolve();
      };
    });
  }
}
