import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { WorkflowError } from '../../diagnostics/index.js';

/**
 * Binds this process, all its threads included, to CPUs, counted among those that it may use. Throws RUN1004 for one that there is not, or
 * where taskset (util-linux) is missing.
 */
export function pinProcess(store: string, pin: readonly number[]): void {
  const allowed = allowedCpus(readFileSync('/proc/self/status', 'utf8'));
  const missing = pin.find((index) => allowed[index] === undefined);
  if (missing !== undefined) {
    throw new WorkflowError({
      code: 'RUN1004',
      message: `store '${store}': there is no CPU ${missing} to pin it to: it may use ${allowed.length}, counted from 0`,
      hint: 'lower the numbers in .colocate({ pin }), or give the store more cpus',
    });
  }
  const list = pin.map((index) => allowed[index]).join(',');
  try {
    execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', list, String(process.pid)], { stdio: 'pipe' });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new WorkflowError({ code: 'RUN1004', message: `store '${store}' cannot be pinned: ${reason}`, cause: error });
  }
}

/** CPUs of `Cpus_allowed_list: 0-3,8`, in order. */
function allowedCpus(status: string): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? '';
  return list.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
