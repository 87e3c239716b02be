import type { JobEnvironment } from './job-environment.js';
import { identify, isAlive } from './process-identity.js';

/** Milliseconds between two looks. */
const intervalMs = 250;

/**
 * Calls `onGone` once when the job's script has gone, or, with `parentToo`, when this process has lost its parent.
 * Returns a function that ends the watch.
 */
export function watchScript(job: JobEnvironment, parentToo: boolean, onGone: () => void): () => void {
  const script = job.scriptPid === undefined ? undefined : identify(job.scriptPid);
  const scriptWasGone = job.scriptPid !== undefined && script === undefined;
  const parent = process.ppid;
  const timer = setInterval(() => {
    const orphaned = parentToo && process.ppid !== parent;
    if (!orphaned && !scriptWasGone && (script === undefined || isAlive(script))) return;
    clearInterval(timer);
    onGone();
  }, intervalMs);
  return () => clearInterval(timer);
}
