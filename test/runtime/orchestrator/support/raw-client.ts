import { connect, type Socket } from 'node:net';

/** A request as bytes: an array of bulk strings. */
export function encode(...words: (string | Buffer)[]): Buffer {
  const parts = [Buffer.from(`*${words.length}\r\n`)];
  for (const word of words) {
    const bytes = Buffer.from(word as string);
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

/** A socket that is written to and read from as raw bytes. */
export class RawClient {
  readonly #socket: Socket;
  #received: Buffer[] = [];
  #length = 0;
  #closed = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      this.#received.push(chunk);
      this.#length += chunk.length;
      this.#wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  static connect(to: { port: number; host?: string; localAddress?: string } | { path: string }): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect('path' in to ? to : { host: '127.0.0.1', ...to });
      socket.setNoDelay(true);
      socket.once('error', reject);
      socket.once('connect', () => resolve(new RawClient(socket)));
    });
  }

  /** Resolves when the bytes have been handed to the kernel. */
  write(bytes: Buffer | string): Promise<void> {
    return new Promise((resolve) => this.#socket.write(bytes, () => resolve()));
  }

  /** The next `length` bytes; fewer if the server closes. */
  async read(length: number): Promise<Buffer> {
    while (this.#length < length && !this.#closed) await this.#change();
    const all = Buffer.concat(this.#received);
    const taken = all.subarray(0, length);
    this.#received = [all.subarray(taken.length)];
    this.#length -= taken.length;
    return taken;
  }

  /** Everything up to the end that the server makes. */
  async readToEnd(): Promise<Buffer> {
    while (!this.#closed) await this.#change();
    return Buffer.concat(this.#received);
  }

  /** Reads nothing more of what the server sends. */
  pause(): void {
    this.#socket.pause();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** One reply in RESP2 or RESP3, as it comes. */
export async function rawReply(client: RawClient): Promise<string> {
  let line = '';
  while (!line.endsWith('\r\n')) {
    const next = await client.read(1);
    if (next.length === 0) throw new Error(`the connection ended after ${JSON.stringify(line)}`);
    line += next.toString('latin1');
  }
  const [kind = ''] = line;
  const length = Number(line.slice(1));
  if (length < 0) return line;
  if ('$='.includes(kind)) return line + (await client.read(length + 2)).toString('latin1');
  if (!'*~%'.includes(kind)) return line;
  for (let left = kind === '%' ? 2 * length : length; left > 0; left -= 1) line += await rawReply(client);
  return line;
}
