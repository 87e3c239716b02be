import { readdir } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { isLoopback, isOwnAddress, normalAddress } from './addresses.js';
import { PeerUids } from './peer-uid.js';
import { isConnected } from './socket-handle.js';

/** Peers that are served. */
export interface PeerFilterOptions {
  readonly addresses: readonly string[];
  readonly folder: string | undefined;
  readonly peerCheck: boolean;
}

/** A reason not to serve a peer. */
export interface Refusal {
  readonly reason: string;
  /** It has closed its end before it was known whose it was: nobody to be warned of. */
  readonly gone: boolean;
}

const gone: Refusal = { reason: 'the peer closed its end before it was known whose it is', gone: true };

/**
 * Decides whether a peer is served: from loopback if its process is this user's own, from elsewhere if its address is
 * on the list. A peer at one of this host's own addresses needs both.
 */
export class PeerFilter {
  readonly #options: PeerFilterOptions;
  readonly #uids = new PeerUids();
  readonly #uid = process.getuid?.();
  #allowed: ReadonlySet<string>;

  constructor(options: PeerFilterOptions) {
    this.#options = options;
    this.#allowed = new Set(options.addresses.map(normalAddress));
  }

  /** Reason for which the peer is refused; undefined if it is served. */
  async refusal(socket: Socket): Promise<Refusal | undefined> {
    const { remoteAddress, remotePort, localAddress, localPort } = socket;
    if (remoteAddress === undefined || remotePort === undefined) return gone;
    if (localAddress === undefined || localPort === undefined) return gone;
    const peerAddress = normalAddress(remoteAddress);
    const loopback = isLoopback(peerAddress);
    if (!loopback && !(await this.#isAllowed(peerAddress))) {
      return { reason: `${peerAddress} is not on this orchestrator's list of addresses`, gone: false };
    }
    if (!this.#options.peerCheck || !(loopback || isOwnAddress(peerAddress))) return undefined;
    const uid = await this.#uids.uidOf({
      peerAddress,
      peerPort: remotePort,
      address: normalAddress(localAddress),
      port: localPort,
      stands: () => isConnected(socket),
    });
    if (uid === 'gone') return gone;
    if (uid !== 'unknown' && uid === this.#uid) return undefined;
    return { reason: 'only processes of the user who runs this orchestrator are served', gone: false };
  }

  async #isAllowed(address: string): Promise<boolean> {
    if (this.#allowed.has(address)) return true;
    if (this.#options.folder === undefined) return false;
    try {
      const names = await readdir(this.#options.folder);
      this.#allowed = new Set([...this.#options.addresses, ...names].map(normalAddress));
    } catch {
      return false;
    }
    return this.#allowed.has(address);
  }
}
