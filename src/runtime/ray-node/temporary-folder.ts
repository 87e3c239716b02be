import { existsSync, lstatSync, mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { userId } from '../job/job-folder.js';

/** Folder of a cluster on this machine, which nobody else can enter. It is short, since Ray puts sockets below it whose paths have to fit into 107 bytes. */
export function clusterTemporary(id: string): string {
  return `/tmp/swr-${id}`;
}

/** Makes the folder of one node of a cluster; other nodes of it may run on the same machine. Throws an Error for a folder that is a stranger's. */
export function makeTemporary(id: string, node: number): string {
  const folder = clusterTemporary(id);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(folder);
  if (uid !== userId() || (mode & 0o77) !== 0) throw new Error(`${folder} is not this user's alone`);
  return join(folder, String(node));
}

/** Removes the folder of a node; of the cluster, if nobody else uses it. */
export function removeTemporary(id: string, node: number): void {
  const folder = clusterTemporary(id);
  rmSync(join(folder, String(node)), { recursive: true, force: true });
  try {
    if (existsSync(folder)) rmdirSync(folder);
  } catch {
    // Another node's is in it.
  }
}
