import { randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import type { Plan } from '../../ir/index.js';
import type { JobEnvironment } from '../job/job-environment.js';
import { networkAddress } from '../job/network-address.js';
import { readJsonLines, writeJsonLine } from './json-lines.js';
import { formatLinkPlace, Hello, mostBytesOfStrangers, proofOf, sameProof } from './link-messages.js';
import { NodeLink } from './node-link.js';
import { mostSilentBeats } from './pulse.js';

/** Milliseconds in which whoever connects has to prove itself. */
const helloMs = 10_000;

/** Variables of a store that reach it by its link where its launcher does not hand them on. */
const handedOn = /^(SIMWRIGHT_|PYTHON|OMP_|MKL_|ORT_|TF_|TORCH_|PYTORCH_|(VIRTUAL_ENV|CONDA_PREFIX)$)/;

/** A start of a store whose processes are to come. */
interface Expected {
  readonly secret: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly onNode: (node: NodeLink) => void;
}

/**
 * The supervisor's ear for store processes that a launcher starts, on other hosts or on its own: launchers hand standard input to the first task
 * at best, so each process holds a connection instead.
 */
export class LinkListener {
  readonly #server: Server;
  readonly #host: string;
  readonly #beatMs: number;
  readonly #expected = new Map<string, Expected>();
  readonly #strangers = new Set<Socket>();

  private constructor(host: string, beatMs: number) {
    this.#host = host;
    this.#beatMs = beatMs;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#admit(socket));
  }

  /** Listens on a free port of the address by which the job's nodes reach this host. */
  static async open(job: JobEnvironment, plan: Plan): Promise<LinkListener> {
    const host = await networkAddress(plan.networkInterface).catch((error: Error) => {
      // The network of compute nodes may not be there on the host of scripts.
      console.log(`${error.message}: stores are to find their supervisor at the address of the host's name`);
      return networkAddress(undefined);
    });
    const listener = new LinkListener(host, (job.linkTimeoutSeconds * 1000) / mostSilentBeats);
    await new Promise<void>((resolve, reject) => {
      listener.#server.once('error', reject);
      listener.#server.listen({ host, port: 0 }, resolve);
    });
    return listener;
  }

  /** Expects the processes of one start of a store. Returns the value of the variable by which they find the way here. */
  expect(id: string, environment: Readonly<Record<string, string>>, onNode: (node: NodeLink) => void): string {
    const secret = randomBytes(32).toString('hex');
    const passed = Object.entries(environment).filter(([name]) => handedOn.test(name));
    this.#expected.set(id, { secret, environment: Object.fromEntries(passed), onNode });
    const address = this.#server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return formatLinkPlace({ host: this.#host, port, secret });
  }

  /** Expects no further process of that start. */
  forget(id: string): void {
    this.#expected.delete(id);
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#strangers) socket.destroy();
  }

  #admit(socket: Socket): void {
    socket.on('error', () => {});
    // From which of its addresses a node connects is a matter of its routes: whoever comes has to prove itself.
    this.#strangers.add(socket);
    const timer = setTimeout(() => socket.destroy(), helloMs);
    const challenge = randomBytes(32).toString('hex');
    let node: NodeLink | undefined;
    const limit = () => {
      if (node === undefined && socket.bytesRead > mostBytesOfStrangers) socket.destroy();
    };
    socket.on('data', limit);
    const settle = () => {
      clearTimeout(timer);
      this.#strangers.delete(socket);
      socket.off('data', limit);
    };
    socket.once('close', settle);
    readJsonLines(
      socket,
      (value) => {
        if (node !== undefined) return node.receive(value);
        node = this.#greet(socket, value, challenge);
        settle();
        if (node === undefined) socket.destroy();
      },
      () => socket.destroy(),
    );
    writeJsonLine(socket, { challenge });
  }

  /** The link to a process that proves itself; `undefined` for any other. */
  #greet(socket: Socket, value: unknown, challenge: string): NodeLink | undefined {
    const { data } = Hello.safeParse(value);
    const expected = data === undefined ? undefined : this.#expected.get(data.hello.id);
    if (data === undefined || expected === undefined) return undefined;
    const { host, proof, challenge: back } = data.hello;
    const { secret, environment, onNode } = expected;
    if (!sameProof(proof, proofOf(secret, 'store', challenge))) return undefined;
    const node = new NodeLink(socket, host, this.#beatMs);
    const beatMs = this.#beatMs;
    writeJsonLine(socket, { welcome: { proof: proofOf(secret, 'supervisor', back), beatMs, environment } });
    onNode(node);
    return node;
  }
}
