import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

/** A path beside a checkpoint that nobody can foresee, for what is to take its place. */
export function temporaryPath(path: string): string {
  return `${path}.${randomBytes(12).toString('hex')}.tmp`;
}

/** A new file that only this user can read. What is there already, a link of a stranger's for instance, is never written to. */
export function createFile(path: string): Promise<FileHandle> {
  return open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
}

/**
 * Opens a checkpoint to read it. A FIFO or device is refused, which reading might wait for for ever, and so are links, which the next
 * checkpoint would replace, and files of others in a folder where anybody may put some. @throws Error
 */
export async function openRegularFile(path: string): Promise<FileHandle> {
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ELOOP' ? new Error('it is a symbolic link: name the file that it leads to') : error;
  });
  try {
    const facts = await file.stat();
    if (!facts.isFile()) throw new Error('it is no regular file');
    const own = process.getuid?.();
    if (own !== undefined && facts.uid !== own && facts.uid !== 0 && (await isOpenToAll(dirname(path)))) {
      throw new Error(`it belongs to user ${facts.uid}, in a folder where anybody may write`);
    }
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function isOpenToAll(folder: string): Promise<boolean> {
  return ((await lstat(folder)).mode & 0o002) !== 0;
}

/** Removes what stores that were killed have left beside the checkpoint. To be called by the one who holds its lock. */
export async function removeTemporaries(path: string): Promise<void> {
  const folder = dirname(path);
  const own = process.getuid?.();
  for (const name of await readdir(folder).catch(() => [])) {
    const rest = name.startsWith(basename(path)) ? name.slice(basename(path).length) : '';
    if (!/^\.[0-9a-f]{24}\.tmp$/.test(rest)) continue;
    const facts = await lstat(join(folder, name)).catch(() => undefined);
    if (facts?.isFile() === true && facts.uid === own) await rm(join(folder, name), { force: true });
  }
}
