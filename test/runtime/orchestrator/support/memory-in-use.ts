import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

/** Buffers that a store may use again are free after a second. */
const looks = 12;
const pauseMs = 100;

/** Bytes that V8 has in use, on its heap and in buffers, when what can be collected is, and no buffer is kept for use again. */
export async function memoryInUse(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < looks; look += 1) {
    gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    least = Math.min(least, heapUsed + arrayBuffers);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return least;
}
