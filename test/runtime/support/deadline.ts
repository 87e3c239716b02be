/** When a job has started whose deadline, `beforeSeconds` after its start, comes in `seconds` from now: for SIMWRIGHT_STARTED. */
export function startedSoThat(seconds: number, beforeSeconds: number): string {
  return String(Math.floor(Date.now() / 1000) - beforeSeconds + seconds);
}

/**
 * Tries with a deadline that comes in a few seconds, and with later ones while `attempt` says that what was to begin before has not: how long
 * that takes is a matter of the machine.
 */
export async function withDeadline(attempt: (seconds: number) => Promise<boolean>): Promise<void> {
  for (const seconds of [3, 12, 40]) {
    if (await attempt(seconds)) return;
  }
  throw new Error('nothing has begun in 40 s');
}
