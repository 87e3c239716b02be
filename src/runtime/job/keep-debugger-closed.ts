import { close, url } from 'node:inspector';
import { setTimeout as sleep } from 'node:timers/promises';

/** When what a signal has set off while Node itself was starting is sure to have happened, in milliseconds. */
const settledMs = [0, 50, 200];

/**
 * Node answers SIGUSR1, which schedulers send as a warning, by opening its debugger on a loopback port: to every user of the node. This
 * keeps it closed, also when the signal came before this was called; whoever has asked for `--inspect` gets it.
 *
 * A handler that does something comes beside this one.
 */
export function keepDebuggerClosed(): void {
  process.on('SIGUSR1', () => {});
  if ([...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].some((words) => words.includes('--inspect'))) return;
  closeIfOpen();
  for (const milliseconds of settledMs) void sleep(milliseconds, undefined, { ref: false }).then(closeIfOpen);
}

function closeIfOpen(): void {
  if (url() !== undefined) close();
}
