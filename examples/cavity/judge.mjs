/**
 * How a member is judged: its field against the table, and what the surrogate said against its own end.
 */
import { PROFILE_STATIONS, profile } from './profiles.mjs';

/** Largest deviation that passes, in units of U. */
export const TOLERANCE = 0.02;

/** @typedef {import('./ghia.mjs').GhiaProfiles} GhiaProfiles */
/** @typedef {{ line: 'u' | 'v', station: number, deviation: number }} Deviation */
/**
 * What a member left in the store. Velocities are in units of U; `surrogate` holds 33 values of u, then 33 of v.
 * @typedef {{ name: string, reynolds: number, lid: number, cells: number, steps: number, velocity: ArrayLike<number>,
 *   profileU: ArrayLike<number>, profileV: ArrayLike<number>, surrogate: ArrayLike<number> }} MemberResult
 */
/**
 * `ghiaU` and `ghiaV` are undefined when the table has no column for the member's Reynolds number.
 * @typedef {{ ghiaU?: Deviation, ghiaV?: Deviation, surrogate: Deviation, failures: string[] }} Verdict
 */

const LINES = /** @type {const} */ (['u', 'v']);

/**
 * @param {MemberResult} member @param {Map<number, GhiaProfiles>} table
 * @returns {Verdict} each failure names its point; misprints of the table are left out
 */
export function judge(member, table) {
  const column = table.get(member.reynolds);
  const ghia = LINES.flatMap((line) => {
    const points = column?.[line].filter((point) => !point.misprint) ?? [];
    const values = profile(
      member.velocity,
      member.cells,
      line,
      Float64Array.from(points, (point) => point.s),
    );
    return points.map((point, i) => ({ line, station: point.s, deviation: Math.abs(values[i] - point.value) }));
  });
  const surrogate = LINES.flatMap((line, half) => {
    const end = line === 'u' ? member.profileU : member.profileV;
    return Array.from(PROFILE_STATIONS, (station, k) => {
      return { line, station, deviation: Math.abs(member.surrogate[half * PROFILE_STATIONS.length + k] - end[k]) };
    });
  });
  const failures = [
    ...ghia.filter(isTooLarge).map((point) => describe(point, 'the table')),
    ...surrogate.filter(isTooLarge).map((point) => describe(point, "the surrogate's answer")),
  ];
  /** @type {Verdict} */
  const verdict = { surrogate: largest(surrogate), failures };
  if (column !== undefined) {
    verdict.ghiaU = largest(ghia.filter((point) => point.line === 'u'));
    verdict.ghiaV = largest(ghia.filter((point) => point.line === 'v'));
  }
  return verdict;
}

/** Not-a-number is too large as well. @param {Deviation} point */
function isTooLarge({ deviation }) {
  return !(deviation <= TOLERANCE);
}

/** @param {Deviation[]} points */
function largest(points) {
  return points.reduce((a, b) => (b.deviation > a.deviation || Number.isNaN(b.deviation) ? b : a));
}

/** @param {Deviation} point @param {string} from */
function describe({ line, station, deviation }, from) {
  const place = line === 'u' ? `u at y = ${station}` : `v at x = ${station}`;
  return `${place} is ${deviation.toFixed(4)} U off ${from} (at most ${TOLERANCE})`;
}
