import { once } from 'node:events';

/** Writes pieces on stdout, as fast as they are read; ends quietly when nobody reads any more (`| head`). */
export async function writeOut(pieces: Iterable<string>): Promise<void> {
  let closed = false;
  const onError = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    closed = true;
  };
  process.stdout.on('error', onError);
  for (const piece of pieces) {
    if (closed) return;
    if (process.stdout.write(piece)) continue;
    await Promise.race([once(process.stdout, 'drain'), once(process.stdout, 'close')]).catch(() => undefined);
  }
}
