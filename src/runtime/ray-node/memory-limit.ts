import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';

/** Share of the memory that Ray's object store may take: Ray's own. */
const storeShare = 0.3;

/** Least size of Ray's object store in bytes. */
const leastStoreBytes = 80 * 1024 ** 2;

/**
 * Size of Ray's object store in bytes, where this process may have less memory than the machine: Ray looks at the machine and at the limit of a
 * container, not at that of a job. Undefined where Ray's own choice is right.
 */
export function objectStoreBytes(limitBytes = memoryLimitBytes()): number | undefined {
  if (limitBytes >= totalmem()) return undefined;
  return Math.max(leastStoreBytes, Math.floor(limitBytes * storeShare));
}

/** Memory in bytes that control groups let this process have; infinite without a limit. */
export function memoryLimitBytes(groups = read('/proc/self/cgroup')): number {
  let least = Number.POSITIVE_INFINITY;
  for (const line of groups.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    const isFirst = controllers?.split(',').includes('memory');
    if (controllers !== '' && !isFirst) continue;
    const [root, file] = isFirst
      ? ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes']
      : ['/sys/fs/cgroup', 'memory.max'];
    for (let at = path; ; at = dirname(at)) {
      const bytes = Number.parseInt(read(join(root, at, file)), 10);
      if (bytes > 0) least = Math.min(least, bytes);
      if (at === '/') break;
    }
  }
  return least;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
