import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { isLoopback, isOwnAddress, normalAddress } from './addresses.js';
import { PeerCredentials } from './peer-credentials.js';
import { PeerUids } from './peer-uid.js';
import { SocketOwners } from './socket-owners.js';

/** Variable of an application's environment that names the member that it is. */
const variable = 'SIMWRIGHT_NAME';

/** Ancestors that are asked, where a process was given an environment of its own. */
const mostAncestors = 8;

/** Finds out who is at the other end of a connection, in words: the member, if it is a process of this host that belongs to one. */
export class PeerNames {
  readonly #sockets = new PeerUids();
  readonly #owners = new SocketOwners();
  readonly #credentials = new PeerCredentials();

  /** `sweep_3 (process 812)`, `process 812`, `a process on 10.0.0.3 (port 51200)`, `a process of this host`. Never rejects. */
  async nameOf(socket: Socket): Promise<string> {
    const { remoteAddress, remotePort } = socket;
    const pid = await this.#pidOf(socket).catch(() => undefined);
    if (pid !== undefined) {
      const member = memberOf(pid);
      return member === undefined ? `process ${pid}` : `${member} (process ${pid})`;
    }
    if (remoteAddress === undefined) return 'a process of this host';
    return `a process on ${remoteAddress.replace(/^::ffff:/, '')} (port ${remotePort})`;
  }

  async #pidOf(socket: Socket): Promise<number | undefined> {
    const { remoteAddress, remotePort, localAddress, localPort } = socket;
    if (remoteAddress === undefined || remotePort === undefined) return this.#credentials.pidOf(socket);
    const peerAddress = normalAddress(remoteAddress);
    if (localAddress === undefined || localPort === undefined) return undefined;
    if (!isLoopback(peerAddress) && !isOwnAddress(peerAddress)) return undefined;
    const place = { peerAddress, peerPort: remotePort, address: normalAddress(localAddress), port: localPort };
    const inode = await this.#sockets.inodeOf(place);
    return inode === undefined ? undefined : this.#owners.pidOf(inode);
  }
}

/** The member that a process belongs to, by its environment or that of an ancestor. */
function memberOf(pid: number): string | undefined {
  for (let at = pid, more = mostAncestors; at > 1 && more > 0; more--) {
    try {
      const entries = readFileSync(`/proc/${at}/environ`, 'utf8').split('\0');
      const name = entries.find((entry) => entry.startsWith(`${variable}=`))?.slice(variable.length + 1);
      if (name !== undefined && /^[\w.-]+$/.test(name)) return name;
      const stat = readFileSync(`/proc/${at}/stat`, 'latin1');
      at = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    } catch {
      // It has ended, or is another user's.
      return undefined;
    }
  }
  return undefined;
}
