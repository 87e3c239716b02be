import { connect, type Socket } from 'node:net';
import { crc32 } from 'node:zlib';
import { randomOf } from './mutations.js';
import { oneOperator } from './onnx.js';
import { encode } from './raw-client.js';
import { type RawReply, ReplyReader } from './reply-reader.js';

/**
 * One process of the stress test: several connections that put, get, copy, rename, run and delete tensors at random, in
 * pipelines, and now and then leave in the middle. What comes back must be what somebody has put there whole.
 * Arguments: port, seed, milliseconds, the largest tensor's bytes.
 */
const [port = 0, seed = 1, milliseconds = 1000, largest = 1024] = process.argv.slice(2).map(Number);
const connections = 3;
const sharedKeys = 6;
/** A store that says nothing for so long hangs. */
const patienceMs = 20_000;
const maxPipelineBytes = 96 * 1024 * 1024;
const sliceBytes = 256 * 1024;
const headerBytes = 12;
/** What a loaded store may say to requests that are right. */
const expected =
  /^(ERR tensor key is empty|ERR no such key|ERR model key is empty|ERR the model has been deleted|OOM command not allowed)/;

const model = oneOperator('Identity', 2, ['n'], true);
const until = Date.now() + milliseconds;
const counts = { requests: 0, drops: 0, checked: 0, refused: 0 };

interface Step {
  readonly request: Buffer;
  /** Says what is wrong with the reply, if anything. */
  check(reply: RawReply): string | undefined;
}

/** Bytes that tell by themselves whether they are whole: length, seed and checksum, then a pattern of the seed's. */
function content(bytes: number, stamp: number): Buffer {
  const data = Buffer.alloc(bytes, stamp & 0xff);
  if (bytes < headerBytes) return data;
  for (let at = headerBytes; at + 4 <= bytes; at += 4096) data.writeUInt32LE((stamp ^ at) >>> 0, at);
  data.writeUInt32LE(bytes, 0);
  data.writeUInt32LE(stamp, 4);
  data.writeUInt32LE(crc32(data.subarray(headerBytes)), 8);
  return data;
}

function damageOf(data: Buffer): string | undefined {
  counts.checked += 1;
  if (data.length < headerBytes) {
    return data.every((byte) => byte === data[0]) ? undefined : `${data.length} bytes of several tensors`;
  }
  if (data.readUInt32LE(0) !== data.length) return `${data.length} bytes say that they are ${data.readUInt32LE(0)}`;
  if (data.readUInt32LE(8) === crc32(data.subarray(headerBytes))) return undefined;
  return `${data.length} bytes with the stamp ${data.readUInt32LE(4)} are damaged`;
}

function isOk(reply: RawReply): string | undefined {
  if (reply instanceof Error) return refused(reply);
  return reply === 'OK' || typeof reply === 'number' ? undefined : `the reply ${JSON.stringify(reply)}`;
}

function refused(error: Error): string | undefined {
  counts.refused += 1;
  return expected.test(error.message) ? undefined : `the error ${error.message}`;
}

class Worker {
  readonly #id: number;
  readonly #random: () => number;
  /** What its own keys hold; undefined if that is not known. */
  readonly #own = new Map<string, Buffer | null | undefined>();
  #socket: Socket | undefined;
  #reader = new ReplyReader();
  #stamp: number;

  constructor(id: number) {
    this.#id = id;
    this.#random = randomOf(id * 7919 + 1);
    this.#stamp = (id * 1_000_003) % 2 ** 31;
  }

  async work(): Promise<void> {
    while (Date.now() < until) {
      const steps = this.#pipeline();
      const socket = await this.#connected();
      const bytes = Buffer.concat(steps.map(({ request }) => request));
      if (this.#random() < 0.06) await this.#leave(socket, bytes);
      else await this.#exchange(socket, steps, bytes);
    }
    this.#socket?.destroy();
  }

  #pick(below: number): number {
    return Math.floor(this.#random() * below);
  }

  #size(): number {
    const kind = this.#random();
    if (kind < 0.25) return 1 + this.#pick(200);
    if (kind < 0.5) return 16 * 1024 + this.#pick(64 * 1024);
    // Of few sizes, so that memory is used again.
    if (kind < 0.85) return [1024, 5000, 32 * 1024, 64 * 1024, 100_000, 1024 * 1024][this.#pick(6)] ?? 1;
    if (kind < 0.97) return ([2, 5, 9][this.#pick(3)] as number) * 1024 * 1024;
    return Math.max(1, largest - this.#pick(16));
  }

  #key(): { readonly key: string; readonly own: boolean } {
    const own = this.#random() < 0.6;
    return { own, key: own ? `own${this.#id}.${this.#pick(4)}` : `shared${this.#pick(sharedKeys)}` };
  }

  #pipeline(): Step[] {
    const steps: Step[] = [];
    let bytes = 0;
    for (let left = 1 + this.#pick(12); left > 0 && bytes < maxPipelineBytes; left -= 1) {
      const step = this.#step();
      bytes += step.request.length;
      steps.push(step);
    }
    counts.requests += steps.length;
    return steps;
  }

  #step(): Step {
    const kind = this.#random();
    if (kind < 0.35) return this.#put();
    if (kind < 0.7) return this.#get();
    if (kind < 0.76) return this.#delete();
    if (kind < 0.82) return this.#copyOrRename();
    if (kind < 0.94) return this.#run();
    if (kind < 0.96) return this.#throughDag();
    if (kind < 0.97) return { request: encode('SAVE'), check: (reply) => (reply === 'OK' ? undefined : String(reply)) };
    if (kind < 0.975) return { request: encode('AI.MODELDEL', `model${this.#pick(2)}`), check: isOk };
    if (kind < 0.985) return this.#storeModel();
    return { request: encode('INFO'), check: (reply) => (Buffer.isBuffer(reply) ? undefined : 'no INFO') };
  }

  #put(): Step {
    const { key, own } = this.#key();
    const data = content(this.#size(), ++this.#stamp);
    const request = encode('AI.TENSORSET', key, 'UINT8', String(data.length), 'BLOB', data);
    return { request, check: (reply) => this.#changed(isOk(reply), reply, own ? key : undefined, data) };
  }

  #changed(
    wrong: string | undefined,
    reply: RawReply,
    key: string | undefined,
    data: Buffer | null,
  ): string | undefined {
    if (key !== undefined && !(reply instanceof Error)) this.#own.set(key, data);
    return wrong;
  }

  #get(): Step {
    const { key, own } = this.#key();
    const check = (reply: RawReply): string | undefined => {
      const known = own ? this.#own.get(key) : undefined;
      if (reply instanceof Error) {
        // Only where tensors are evicted may one be missing.
        if (Buffer.isBuffer(known) && mayEvict) this.#own.set(key, undefined);
        else if (Buffer.isBuffer(known)) return `${key} has gone: ${reply.message}`;
        return refused(reply);
      }
      if (!Array.isArray(reply) || !Buffer.isBuffer(reply[5])) return `${key} is no tensor`;
      if (known === null) return `${key} is there although it was deleted`;
      if (known !== undefined) return known.equals(reply[5]) ? undefined : `${key} holds another tensor`;
      return damageOf(reply[5]);
    };
    return { request: encode('AI.TENSORGET', key, 'META', 'BLOB'), check };
  }

  #delete(): Step {
    const { key, own } = this.#key();
    return {
      request: encode('DEL', key),
      check: (reply) => this.#changed(isOk(reply), reply, own ? key : undefined, null),
    };
  }

  #copyOrRename(): Step {
    const from = `shared${this.#pick(sharedKeys)}`;
    const to = `shared${this.#pick(sharedKeys)}`;
    if (from === to || this.#random() < 0.5) return { request: encode('RENAME', from, to), check: isOk };
    return { request: encode('COPY', from, to, 'REPLACE'), check: isOk };
  }

  /** A model that gives its input back: outputs are checked like everything else. */
  #run(): Step {
    const output = `shared${this.#pick(sharedKeys)}`;
    const name = `model${this.#pick(4)}`;
    const { key } = this.#key();
    const request = encode('AI.MODELEXECUTE', name, 'INPUTS', '1', key, 'OUTPUTS', '1', output);
    return { request, check: isOk };
  }

  #storeModel(): Step {
    const words = [`model${this.#pick(2)}`, 'ONNX', 'CPU', 'TAG', String(this.#pick(2)), 'BLOB', model];
    return { request: encode('AI.MODELSTORE', ...words), check: isOk };
  }

  #throughDag(): Step {
    const data = content(this.#size(), ++this.#stamp);
    const set = ['AI.TENSORSET', 'inner', 'UINT8', String(data.length), 'BLOB', data];
    const run = ['AI.MODELEXECUTE', 'model3', 'INPUTS', '1', 'inner', 'OUTPUTS', '1', 'out'];
    const get = ['AI.TENSORGET', 'out', 'BLOB'];
    const request = encode('AI.DAGEXECUTE', 'ROUTING', 'x', '|>', ...set, '|>', ...run, '|>', ...get);
    const check = (reply: RawReply): string | undefined => {
      if (reply instanceof Error) return refused(reply);
      const entries = Array.isArray(reply) ? reply : [];
      const error = entries.find((entry) => entry instanceof Error);
      if (error instanceof Error) return refused(error);
      const last = entries[2];
      return Buffer.isBuffer(last) && last.equals(data) ? undefined : 'a DAG gave another tensor';
    };
    return { request, check };
  }

  /** Sends part of a pipeline and goes; what became of its own keys is then unknown. */
  async #leave(socket: Socket, bytes: Buffer): Promise<void> {
    counts.drops += 1;
    for (const key of this.#own.keys()) this.#own.set(key, undefined);
    for (let index = 0; index < 4; index += 1) this.#own.set(`own${this.#id}.${index}`, undefined);
    socket.write(bytes.subarray(0, this.#pick(bytes.length + 1)));
    await new Promise((resolve) => setTimeout(resolve, this.#pick(30)));
    if (this.#random() < 0.5) socket.resetAndDestroy();
    else socket.destroy();
    this.#socket = undefined;
  }

  async #exchange(socket: Socket, steps: readonly Step[], bytes: Buffer): Promise<void> {
    const cut = this.#random() < 0.3 ? this.#pick(bytes.length) : 0;
    // In slices, so that it can be seen whether the store takes them.
    for (let at = 0, end = cut; at < bytes.length; at = end, end += sliceBytes) socket.write(bytes.subarray(at, end));
    // Somebody who is slow to read.
    if (this.#random() < 0.1) {
      socket.pause();
      setTimeout(() => socket.resume(), this.#pick(50));
    }
    for (const step of steps) {
      const title = step.request.subarray(0, 200).toString('latin1').split('\r\n').slice(2, 20).join(' ');
      const reply = await this.#reader
        .next(patienceMs, () => socket.writableLength)
        .catch((error: unknown) => {
          throw new Error(`${title}…: ${String(error)}, ${socket.writableLength} of ${bytes.length} bytes not taken`);
        });
      const wrong = step.check(reply);
      if (wrong !== undefined) throw new Error(`${title}…: ${wrong}`);
    }
  }

  #connected(): Promise<Socket> {
    if (this.#socket !== undefined) return Promise.resolve(this.#socket);
    return new Promise((resolve, reject) => {
      const reader = new ReplyReader();
      const socket = connect(port, '127.0.0.1');
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject).on('error', () => undefined);
        this.#socket = socket;
        this.#reader = reader;
        resolve(socket);
      });
      socket.on('data', (chunk: Buffer) => reader.feed(chunk));
      socket.on('close', () => reader.end());
    });
  }
}

const mayEvict = process.env['MAY_EVICT'] === '1';
try {
  await Promise.all(Array.from({ length: connections }, (_, index) => new Worker(seed * 10 + index).work()));
  process.stdout.write(`${JSON.stringify(counts)}\n`);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ ...counts, error: String(error) })}\n`);
  process.exit();
}
