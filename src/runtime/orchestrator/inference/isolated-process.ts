import { Worker } from 'node:worker_threads';
import type { InferenceAnswer, InferenceRequest } from './messages.js';

const lookMs = 500;

/** Ends the process once its parent has gone, whatever its own thread does. */
const watchSource = `
const parent = process.ppid;
setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, ${lookMs});
`;

/** Port from which an inference worker reads requests and on which it answers. */
export interface RequestPort {
  on(event: 'message', listener: (request: InferenceRequest) => void): unknown;
  postMessage(answer: InferenceAnswer, transfer: ArrayBuffer[]): void;
  close(): void;
}

/** This process's channel to its parent as a request port. Messages are copied, so that nothing need be given back. */
export function parentPortOfProcess(): RequestPort {
  new Worker(watchSource, { eval: true, execArgv: [] }).unref();
  // Ctrl-C is for the parent, which ends this process when it has answered.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const)
    process.on(signal, () => undefined);
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  return {
    on: (event, listener) => process.on(event, (request) => listener(request as InferenceRequest)),
    postMessage: (answer) => {
      process.send?.(answer.kind === 'ran' ? { ...answer, buffers: [], spare: [] } : { ...answer, buffers: [] });
    },
    close: () => process.disconnect(),
  };
}
