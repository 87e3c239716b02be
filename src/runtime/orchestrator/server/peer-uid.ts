import { readFile } from 'node:fs/promises';
import { kernelSpelling } from './addresses.js';

/** Both ends of a connection on this host, as the accepting side sees them; addresses in their normal spelling. */
export interface LocalConnection {
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly address: string;
  readonly port: number;
  /** True if the accepted socket is still one end of the connection that was accepted. */
  readonly stands: () => boolean;
}

/** Peer's end of a connection, as the kernel's tables have it. */
interface PeerEnd {
  readonly uid: number;
  readonly inode: string;
}

/** Reasons for which a peer's user is not known: it has closed its end, or no row tells. */
export type NoPeer = 'gone' | 'unknown';

interface Tables {
  readonly tcp: string;
  readonly tcp6: string;
}

/**
 * Finds out whose process is at the other end of a TCP connection from this host.
 *
 * The kernel's tables name a connection by its two ends only, and a peer that resets its connection leaves its port to the next one. So a
 * row counts only if the accepted socket still stands when the table has been read: it stood when it was accepted, and as long as it does,
 * no other socket of this host can be connected from the peer's end to this one. A row in the state SYN_SENT is of one that tries to.
 *
 * All connections that wait share one reading of the tables, begun after the last of them came.
 */
export class PeerUids {
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<Tables> | undefined;

  /** The peer's user id, or why there is none. */
  async uidOf(connection: LocalConnection): Promise<number | NoPeer> {
    const end = await this.#endOf(connection);
    return typeof end === 'string' ? end : end.uid;
  }

  /** Number of the peer's socket in the kernel's tables; undefined where it is not known. */
  async inodeOf(connection: LocalConnection): Promise<string | undefined> {
    const end = await this.#endOf(connection);
    return typeof end === 'string' ? undefined : end.inode;
  }

  async #endOf(connection: LocalConnection): Promise<PeerEnd | NoPeer> {
    let found: PeerEnd | NoPeer = 'unknown';
    // The kernel gives the table in pieces: a row can be missed while others come and go.
    for (let reading = 0; reading < 2 && found === 'unknown'; reading += 1) {
      const tables = await this.#read();
      found = connection.stands() ? endIn(tables, connection) : 'gone';
    }
    return found;
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

function endIn(tables: Tables, { peerAddress, peerPort, address, port }: LocalConnection): PeerEnd | NoPeer {
  const peer = kernelSpelling(peerAddress);
  const self = kernelSpelling(address);
  const four =
    peer.tcp === undefined || self.tcp === undefined
      ? 'unknown'
      : endOfRows(tables.tcp, `${end(peer.tcp, peerPort)} ${end(self.tcp, port)}`);
  return four === 'unknown' ? endOfRows(tables.tcp6, `${end(peer.tcp6, peerPort)} ${end(self.tcp6, port)}`) : four;
}

function end(address: string, port: number): string {
  return `${address}:${port.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** ESTABLISHED, and FIN_WAIT1 and FIN_WAIT2 of a peer that has no more to say. */
const connectedStates: ReadonlySet<string> = new Set(['01', '04', '05']);
/** TIME_WAIT, CLOSE, LAST_ACK and CLOSING. */
const closedStates: ReadonlySet<string> = new Set(['06', '07', '09', '0B']);

/**
 * Reads the row with these ends. A socket that no process has any more shows no inode, and of all users the uid 0: such a row
 * says nothing of root.
 */
function endOfRows(table: string, ends: string): PeerEnd | NoPeer {
  const start = `: ${ends} `;
  let found: PeerEnd | NoPeer = 'unknown';
  for (let at = table.indexOf(start); at !== -1; at = table.indexOf(start, at + 1)) {
    const [state = '', , , , uid = '', , inode = ''] = table
      .slice(at + start.length, at + start.length + 160)
      .split(/\s+/);
    const owned = inode !== '0' || uid !== '0';
    if (connectedStates.has(state) && owned && /^\d+$/.test(uid)) return { uid: Number(uid), inode };
    if (closedStates.has(state) || connectedStates.has(state)) found = 'gone';
  }
  return found;
}
