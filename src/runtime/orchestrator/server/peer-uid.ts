import { readFile } from 'node:fs/promises';
import { kernelSpelling } from './addresses.js';

/** Both ends of a connection on this host, as the accepting side sees them; addresses in their normal spelling. */
export interface LocalConnection {
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly address: string;
  readonly port: number;
}

/** Peer's end of a connection, as the kernel's tables have it. */
interface PeerEnd {
  readonly uid: number;
  readonly inode: string;
}

interface Tables {
  readonly tcp: string;
  readonly tcp6: string;
}

/**
 * Finds out whose process is at the other end of a TCP connection from this host.
 *
 * All connections that wait share one reading of the kernel's tables, begun after the last of them came.
 */
export class PeerUids {
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<Tables> | undefined;

  /** The uid, or undefined if the peer's end is not an established connection or the tables cannot be read. */
  async uidOf(connection: LocalConnection): Promise<number | undefined> {
    return (await this.#endOf(connection))?.uid;
  }

  /** Number of the peer's socket in the kernel's tables, or undefined as above. */
  async inodeOf(connection: LocalConnection): Promise<string | undefined> {
    return (await this.#endOf(connection))?.inode;
  }

  async #endOf(connection: LocalConnection): Promise<PeerEnd | undefined> {
    // The kernel gives the table in pieces: a row can be missed while others come and go.
    return endIn(await this.#read(), connection) ?? endIn(await this.#read(), connection);
  }

  #read(): Promise<Tables> {
    if (this.#next !== undefined) return this.#next;
    const reading = this.#running.then(() => {
      this.#next = undefined;
      return readTables();
    });
    this.#next = reading;
    this.#running = reading;
    return reading;
  }
}

async function readTables(): Promise<Tables> {
  const [tcp, tcp6] = await Promise.all(['tcp', 'tcp6'].map((name) => readTable(`/proc/net/${name}`)));
  return { tcp: tcp ?? '', tcp6: tcp6 ?? '' };
}

async function readTable(path: string): Promise<string> {
  try {
    return await readFile(path, 'latin1');
  } catch {
    return '';
  }
}

function endIn(tables: Tables, { peerAddress, peerPort, address, port }: LocalConnection): PeerEnd | undefined {
  const peer = kernelSpelling(peerAddress);
  const self = kernelSpelling(address);
  const four = peer.tcp === undefined || self.tcp === undefined ? undefined : [peer.tcp, self.tcp];
  return (
    (four === undefined ? undefined : endOfRow(tables.tcp, `${end(four[0], peerPort)} ${end(four[1], port)}`)) ??
    endOfRow(tables.tcp6, `${end(peer.tcp6, peerPort)} ${end(self.tcp6, port)}`)
  );
}

function end(address: string | undefined, port: number): string {
  return `${address}:${port.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Reads an established connection's row. A closed end shows uid 0 in another state, so the state counts. */
function endOfRow(table: string, ends: string): PeerEnd | undefined {
  const established = `: ${ends} 01 `;
  const at = table.indexOf(established);
  if (at === -1) return undefined;
  const rest = table.slice(at + established.length, at + established.length + 120);
  const [, , , uid = '', , inode = ''] = rest.trim().split(/\s+/);
  return /^\d+$/.test(uid) ? { uid: Number(uid), inode } : undefined;
}
