import { readdirSync, readlinkSync, statSync } from 'node:fs';

/** Finds the process that has a socket open, among this user's on this host. */
export class SocketOwners {
  readonly #uid = process.getuid?.();
  #pids: ReadonlyMap<string, number> = new Map();

  /** `inode` is the socket's number in the kernel's tables; undefined where no process of this user has it. */
  pidOf(inode: string): number | undefined {
    const known = this.#pids.get(inode);
    if (known !== undefined && hasOpen(known, inode)) return known;
    // A look finds all sockets that there are, so that many clients cost one.
    this.#pids = this.#look();
    return this.#pids.get(inode);
  }

  #look(): Map<string, number> {
    const pids = new Map<string, number>();
    for (const name of readdirSync('/proc')) {
      const pid = Number(name);
      if (!Number.isInteger(pid) || !this.#isOurs(pid)) continue;
      // The first of several is that which the others were forked from, as a rule.
      for (const inode of socketsOf(pid)) if (!pids.has(inode)) pids.set(inode, pid);
    }
    return pids;
  }

  #isOurs(pid: number): boolean {
    try {
      return statSync(`/proc/${pid}`).uid === this.#uid;
    } catch {
      return false;
    }
  }
}

function hasOpen(pid: number, inode: string): boolean {
  return socketsOf(pid).includes(inode);
}

/** Inodes of the sockets that a process has open. */
function socketsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => inodeOf(`/proc/${pid}/fd/${fd}`));
  } catch {
    return [];
  }
}

function inodeOf(link: string): string | [] {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(link))?.[1] ?? [];
  } catch {
    return [];
  }
}
