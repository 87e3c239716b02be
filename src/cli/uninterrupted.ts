import { setImmediate } from 'node:timers/promises';

/** Signals by which a person or a system ends a command: Ctrl-C, `kill`, a terminal that is closed. */
export const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type StopSignal = (typeof stopSignals)[number];

/** Does what must not be cut short; a stop signal that comes meanwhile takes effect afterwards. */
export async function uninterrupted(work: () => void): Promise<void> {
  let came: StopSignal | undefined;
  const note = (signal: StopSignal) => {
    came = signal;
  };
  for (const signal of stopSignals) process.on(signal, note);
  try {
    work();
    // Signals are handed out where the event loop polls: for certain between two immediates.
    await setImmediate();
    await setImmediate();
  } finally {
    for (const signal of stopSignals) process.off(signal, note);
  }
  if (came !== undefined) process.kill(process.pid, came);
}
