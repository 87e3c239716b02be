import { readdirSync, readFileSync } from 'node:fs';

/** Variable that tells the run which a process belongs to: the folder of its rehearsal, then its job. */
export const runVariable = 'SIMWRIGHT_REHEARSAL_RUN';

/** Value of the variable for a run of a rehearsal; without one the start of all of its values. Others may rehearse beside it. */
export function runMark(state: string, run = ''): string {
  return `${state}/${run}`;
}

/** A process that has not ended. */
export interface LiveProcess {
  readonly pid: number;
  readonly parent: number;
  readonly command: readonly string[];
}

/** Processes of a run; this one is left out. */
export function processesOfRun(mark: string): LiveProcess[] {
  const text = `\0${runVariable}=${mark}\0`;
  return allProcesses((pid) => environmentOf(pid).includes(text));
}

/** Processes of a rehearsal's stores, by the words of their command lines. */
export function storeProcesses(state: string, store: string | undefined): LiveProcess[] {
  const begin = `\0${runVariable}=${runMark(state)}`;
  return allProcesses((pid) => environmentOf(pid).includes(begin)).filter(({ command }) => {
    const bundle = command.findIndex((word) => word.endsWith('/simwright.mjs'));
    return command[bundle + 1] === 'store' && (store === undefined || command[bundle + 2] === store);
  });
}

/** Processes that others have started, and what these have started. */
export function processesBelow(parents: readonly { readonly pid: number }[]): LiveProcess[] {
  const all = allProcesses(() => true);
  const found: LiveProcess[] = [];
  for (let above = new Set(parents.map(({ pid }) => pid)); above.size > 0; ) {
    const own = all.filter(({ parent }) => above.has(parent));
    found.push(...own);
    above = new Set(own.map(({ pid }) => pid));
  }
  return found;
}

function environmentOf(pid: string): string {
  return `\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}`;
}

function allProcesses(holds: (pid: string) => boolean): LiveProcess[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // A zombie has ended: its parent has not asked about it yet.
      const [status = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (/^[ZX]/.test(status) || !holds(pid)) return [];
      return [
        {
          pid: Number(pid),
          parent: Number(parent),
          command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1),
        },
      ];
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
