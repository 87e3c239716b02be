const clock = /^(?:(\d+)-)?(\d+):([0-5]?\d):([0-5]?\d)$/;
const iso = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/;

/**
 * Seconds of `HH:MM:SS`, `D-HH:MM:SS` or an ISO 8601 duration (`PT2H30M`); `undefined` for anything else.
 *
 * Forms whose meaning differs between schedulers (`10:30`, bare numbers) are not walltimes here.
 */
export function parseWalltime(text: string): number | undefined {
  const parts = clock.exec(text) ?? (text.length > 2 && !text.endsWith('T') ? iso.exec(text) : null);
  if (parts === null) return undefined;
  const [days, hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0));
  const total = (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0);
  return total > 0 ? total : undefined;
}

/** Hint for a walltime that could not be read. */
export const walltimeHint = "write hours, minutes and seconds: '02:00:00', '1-12:00:00' or 'PT2H'";

const memory = /^(\d+(?:\.\d+)?)\s*([KMGT])i?B?$/i;
const mebibytesPerUnit: Readonly<Record<string, number>> = { K: 1 / 1024, M: 1, G: 1024, T: 1024 * 1024 };

/** Mebibytes of `8G`, `512MB`, `1.5T`, rounded up (units are powers of 1024); `undefined` for anything else. */
export function parseMemoryMiB(text: string): number | undefined {
  const match = memory.exec(text.trim());
  if (match === null) return undefined;
  const factor = mebibytesPerUnit[(match[2] ?? '').toUpperCase()] ?? 0;
  const total = Math.ceil(Number(match[1]) * factor);
  return total > 0 ? total : undefined;
}

/** Seconds as `HH:MM:SS`; hours may pass 24. */
export function formatClock(seconds: number): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** Seconds of a walltime that are kept for ending in order: a tenth, at most a minute. */
export function graceOf(walltimeSeconds: number): number {
  return Math.min(60, Math.floor(walltimeSeconds / 10));
}
