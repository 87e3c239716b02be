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

/** The peer's user id, or why there is none: `gone` has closed its end, `unknown` has no row that tells. */
export type PeerUid = number | 'gone' | 'unknown';

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

  async uidOf(connection: LocalConnection): Promise<PeerUid> {
    let found: PeerUid = 'unknown';
    // The kernel gives the table in pieces: a row can be missed while others come and go.
    for (let reading = 0; reading < 2 && found === 'unknown'; reading += 1) {
      const tables = await this.#read();
      found = connection.stands() ? uidIn(tables, connection) : 'gone';
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

function uidIn(tables: Tables, { peerAddress, peerPort, address, port }: LocalConnection): PeerUid {
  const peer = kernelSpelling(peerAddress);
  const self = kernelSpelling(address);
  const four =
    peer.tcp === undefined || self.tcp === undefined
      ? 'unknown'
      : uidOfRows(tables.tcp, `${end(peer.tcp, peerPort)} ${end(self.tcp, port)}`);
  return four === 'unknown' ? uidOfRows(tables.tcp6, `${end(peer.tcp6, peerPort)} ${end(self.tcp6, port)}`) : four;
}

function end(address: string, port: number): string {
  return `${address}:${port.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** ESTABLISHED, and FIN_WAIT1 and FIN_WAIT2 of a peer that has no more to say. */
const connectedStates: ReadonlySet<string> = new Set(['01', '04', '05']);
/** TIME_WAIT, CLOSE, LAST_ACK and CLOSING. */
const closedStates: ReadonlySet<string> = new Set(['06', '07', '09', '0B']);

/**
 * Reads the uid of the row with these ends. A socket that no process has any more shows no inode, and of all users the uid 0: such a row
 * says nothing of root.
 */
function uidOfRows(table: string, ends: string): PeerUid {
  const start = `: ${ends} `;
  let found: PeerUid = 'unknown';
  for (let at = table.indexOf(start); at !== -1; at = table.indexOf(start, at + 1)) {
    const [state = '', , , , uid = '', , inode = ''] = table
      .slice(at + start.length, at + start.length + 160)
      .split(/\s+/);
    const owned = inode !== '0' || uid !== '0';
    if (connectedStates.has(state) && owned && /^\d+$/.test(uid)) return Number(uid);
    if (closedStates.has(state) || connectedStates.has(state)) found = 'gone';
  }
  return found;
}
