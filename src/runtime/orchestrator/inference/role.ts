import { isMainThread, workerData } from 'node:worker_threads';
import type { InferenceWorkerData } from './messages.js';

/** First argument of a process that runs models apart from the store's; the second is its data in JSON. */
export const isolatedProcess = 'isolated-inference';

/** Data that this thread was started with, if it is to run models: as a worker thread, or as the only thread of a process. */
export function inferenceRole(): InferenceWorkerData | undefined {
  if (isMainThread) {
    const [word, data = ''] = process.argv.slice(2);
    return word === isolatedProcess ? (JSON.parse(data) as InferenceWorkerData) : undefined;
  }
  const data = workerData as InferenceWorkerData | null;
  return data?.simwright === 'inference' ? data : undefined;
}
