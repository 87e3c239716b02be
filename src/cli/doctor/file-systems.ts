import { accessSync, constants, statfsSync } from 'node:fs';
import { homedir } from 'node:os';
import type { Finding, Probed } from '../../targets/probe.js';

export interface FileSystem {
  readonly path: string;
  readonly type: string;
  /** Other machines may see it too; undefined where the type does not tell. */
  readonly isNetwork: boolean | undefined;
  readonly freeBytes: number;
}

export interface FileSystemsFacts {
  readonly folder: FileSystem;
  readonly home: FileSystem | undefined;
  readonly tmp: FileSystem | undefined;
}

/** Magic numbers of statfs(2). */
const types: Readonly<Record<number, readonly [type: string, isNetwork: boolean | undefined]>> = {
  26985: ['NFS', true],
  198183888: ['Lustre', true],
  1196443219: ['GPFS', true],
  428016422: ['BeeGFS', true],
  12805120: ['Ceph', true],
  2866260714: ['PanFS', true],
  537068840: ['OrangeFS', true],
  4283649346: ['CIFS', true],
  4266872130: ['SMB', true],
  1397113167: ['AFS', true],
  1702057286: ['FUSE', undefined],
  61267: ['ext', false],
  1481003842: ['XFS', false],
  2435016766: ['btrfs', false],
  801189825: ['ZFS', false],
  16914836: ['tmpfs', false],
  2035054128: ['overlay', false],
};

/** Bytes under /tmp below which that is worth knowing: sockets take next to nothing, what programs leave there does. */
const scarceBytes = 100 * 1024 ** 2;

/** File systems of this folder, home and /tmp. `hasScheduler`: other nodes than this one have to see the folder. */
export function probeFileSystems(hasScheduler: boolean): Probed<FileSystemsFacts> {
  const folder = fileSystemOf(process.cwd());
  const facts = { folder, home: lookAt(homedir()), tmp: lookAt('/tmp') };
  const places = [folder, ...(facts.home === undefined ? [] : [facts.home])];
  return { facts, findings: [judgeShared(places, hasScheduler), judgeTmp(facts.tmp)] };
}

/** The file system that a path lies on. */
export function fileSystemOf(path: string): FileSystem {
  const { type, bavail, bsize } = statfsSync(path);
  const magic = type >>> 0;
  const [name, isNetwork] = types[magic] ?? [`type 0x${magic.toString(16)}`, undefined];
  return { path, type: name, isNetwork, freeBytes: bavail * bsize };
}

function lookAt(path: string): FileSystem | undefined {
  try {
    return fileSystemOf(path);
  } catch {
    return undefined;
  }
}

export function judgeShared(places: readonly FileSystem[], hasScheduler: boolean): Finding {
  const message = places.map(({ path, type }) => `${path} on ${type}`).join(', ');
  const topic = 'File system';
  if (!hasScheduler || places[0]?.isNetwork === true) return { topic, verdict: 'ok', message };
  const advice = 'compile and submit where compute nodes see the folder too';
  const doubt = places[0]?.isNetwork === undefined ? 'may be' : 'looks like';
  return {
    topic,
    verdict: 'warning',
    message: `${message}; the current folder ${doubt} one of this machine alone`,
    advice,
  };
}

function judgeTmp(tmp: FileSystem | undefined): Finding {
  const topic = '/tmp';
  try {
    accessSync('/tmp', constants.W_OK | constants.X_OK);
  } catch {
    return {
      topic,
      verdict: 'problem',
      message: 'cannot be written: sockets of stores go there',
      advice: 'ask its owner',
    };
  }
  const free = `${((tmp?.freeBytes ?? 0) / 1024 ** 3).toFixed(1)} GiB free`;
  if (tmp === undefined || tmp.freeBytes >= scarceBytes) return { topic, verdict: 'ok', message: free };
  return { topic, verdict: 'warning', message: free, advice: 'make room: programs in jobs use it too' };
}
