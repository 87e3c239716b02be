import { readdirSync, readFileSync } from 'node:fs';

/** Variable that tells the run which a process belongs to. */
export const runVariable = 'SIMWRIGHT_REHEARSAL_RUN';

/** A process that has not ended. */
export interface LiveProcess {
  readonly pid: number;
  readonly command: readonly string[];
}

/** Processes that have `NAME=VALUE` in their environment; this one is left out. */
export function processesMarked(name: string, value: string): LiveProcess[] {
  const mark = `\0${name}=${value}\0`;
  return allProcesses((pid) => `\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}`.includes(mark));
}

/** Processes of stores, by the words of their command lines. */
export function storeProcesses(store: string | undefined): LiveProcess[] {
  return allProcesses(() => true).filter(({ command }) => {
    const bundle = command.findIndex((word) => word.endsWith('/simwright.mjs'));
    return command[bundle + 1] === 'store' && (store === undefined || command[bundle + 2] === store);
  });
}

function allProcesses(holds: (pid: string) => boolean): LiveProcess[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // A zombie has ended: its parent has not asked about it yet.
      if (/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2)) || !holds(pid)) return [];
      return [{ pid: Number(pid), command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1) }];
    } catch {
      return [];
    }
  });
}

/** Sends a signal to processes; those that have ended are no matter. */
export function signalProcesses(processes: readonly { readonly pid: number }[], signal: NodeJS.Signals): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has just ended.
    }
  }
}
