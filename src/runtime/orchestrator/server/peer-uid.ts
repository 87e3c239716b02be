import { readFile } from 'node:fs/promises';
import { kernelSpelling } from './addresses.js';

/** Both ends of a connection on this host, as the accepting side sees them; addresses in their normal spelling. */
export interface LocalConnection {
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly address: string;
  readonly port: number;
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
    // The kernel gives the table in pieces: a row can be missed while others come and go.
    return uidIn(await this.#read(), connection) ?? uidIn(await this.#read(), connection);
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

function uidIn(tables: Tables, { peerAddress, peerPort, address, port }: LocalConnection): number | undefined {
  const peer = kernelSpelling(peerAddress);
  const self = kernelSpelling(address);
  const four = peer.tcp === undefined || self.tcp === undefined ? undefined : [peer.tcp, self.tcp];
  return (
    (four === undefined ? undefined : uidOfRow(tables.tcp, `${end(four[0], peerPort)} ${end(four[1], port)}`)) ??
    uidOfRow(tables.tcp6, `${end(peer.tcp6, peerPort)} ${end(self.tcp6, port)}`)
  );
}

function end(address: string | undefined, port: number): string {
  return `${address}:${port.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** Reads the uid of an established connection's row. A closed end shows uid 0 in another state, so the state counts. */
function uidOfRow(table: string, ends: string): number | undefined {
  const established = `: ${ends} 01 `;
  const at = table.indexOf(established);
  if (at === -1) return undefined;
  const rest = table.slice(at + established.length, at + established.length + 120);
  const uid = rest.trim().split(/\s+/)[3];
  return uid !== undefined && /^\d+$/.test(uid) ? Number(uid) : undefined;
}
