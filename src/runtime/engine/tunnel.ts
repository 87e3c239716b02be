import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { listen } from '../orchestrator/server/listen.js';
import type { PeerFilter } from '../orchestrator/server/peer-filter.js';
import { RefusalLog } from '../orchestrator/server/refusal-log.js';

/** Place of a server. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Milliseconds for who is refused to read why, and for a server to take over before those who wait for it are let go. */
const patience = { refusalMs: 1000, waitMs: 30_000 };

/** Attempts to listen on a port that a server has just left, and milliseconds between them. */
const attempts = { most: 20, pauseMs: 50 };

/**
 * The port of a server that has died, as its clients know it: their bytes go to the server that has taken over. SmartRedis looks up once where the
 * shards are, and knows of no other place. Peers are let in as the server would have let them in, before a byte of theirs goes on.
 */
export class Tunnel {
  readonly #server: Server;
  readonly #peers: PeerFilter;
  readonly #refusals: RefusalLog;
  readonly #sockets = new Set<Socket>();
  #waiting: { readonly client: Socket; readonly timer: NodeJS.Timeout }[] = [];
  #target: Place | undefined;

  private constructor(peers: PeerFilter, log: (message: string) => void) {
    this.#peers = peers;
    this.#refusals = new RefusalLog(log);
    // Both directions end by themselves.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) => {
      this.#watch(client);
      void this.#admit(client);
    });
  }

  /** Listens on a port. Until {@link lead} says where to, clients wait. @throws WorkflowError */
  static async open(place: Place, peers: PeerFilter, log: (message: string) => void): Promise<Tunnel> {
    for (let attempt = 1; ; attempt += 1) {
      const tunnel = new Tunnel(peers, log);
      try {
        await listen(tunnel.#server, { kind: 'tcp', ...place });
        return tunnel;
      } catch (error) {
        if (attempt === attempts.most) throw error;
        await sleep(attempts.pauseMs);
      }
    }
  }

  /** Number of connections that go through, or wait. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Leads there from now on those who wait and those who come; who waits for nothing more is let go. */
  lead(target: Place | undefined): void {
    this.#target = target;
    if (target === undefined) return;
    for (const { client, timer } of this.#waiting.splice(0)) {
      clearTimeout(timer);
      this.#join(client, target);
    }
  }

  /** Ends all connections. */
  close(): void {
    this.#server.close();
    this.#refusals.end();
    for (const { timer } of this.#waiting) clearTimeout(timer);
    this.#waiting = [];
    for (const socket of this.#sockets) socket.destroy();
  }

  #watch(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  }

  async #admit(client: Socket): Promise<void> {
    const refusal = await this.#peers.refusal(client);
    if (client.destroyed) return;
    if (refusal !== undefined) {
      if (!refusal.gone) this.#refusals.add(client.remoteAddress ?? 'a peer that has gone', refusal.reason);
      client.resume();
      client.end(`-DENIED ${refusal.reason}\r\n`);
      setTimeout(() => client.destroy(), patience.refusalMs).unref();
    } else if (this.#target === undefined) {
      const timer = setTimeout(() => client.destroy(), patience.waitMs).unref();
      this.#waiting.push({ client, timer });
    } else this.#join(client, this.#target);
  }

  #join(client: Socket, { host, port }: Place): void {
    if (client.destroyed) return;
    const server = connect({ host, port, allowHalfOpen: true, noDelay: true });
    this.#watch(server);
    server.on('close', () => client.destroy());
    client.on('close', () => server.destroy());
    client.pipe(server);
    server.pipe(client);
  }
}
