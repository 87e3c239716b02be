import { Cavity } from './lattice.mjs';

/** Seconds do not enter here, so that the numbers of a run depend on its parameters alone. */
/** @typedef {{ cavity: Cavity, velocity: Float64Array, time: number, change: number, steady: boolean }} Moment */

/** Times in L/U, and the change per L/U, relative to the field, below which the flow counts as steady. */
export const END_TIME = 60;
export const STEADY_CHANGE = 1e-5;

/**
 * Advances a cavity by about one L/U at a time until its flow is steady or `endTime` is reached; gives each moment.
 * The velocity is the same array each time.
 * @param {{ cells: number, lid: number, reynolds: number, endTime?: number, steadyChange?: number }} options
 * @returns {Generator<Moment>}
 */
export function* runToSteady({ cells, lid, reynolds, endTime = END_TIME, steadyChange = STEADY_CHANGE }) {
  const cavity = new Cavity({ cells, lid, reynolds });
  const velocity = cavity.velocity();
  const before = new Float64Array(velocity);
  const totalSteps = Math.round((endTime * cells) / lid);
  for (let unit = 1; cavity.steps < totalSteps; unit += 1) {
    const stepsSoFar = cavity.steps;
    cavity.advance(Math.min(Math.round((unit * cells) / lid), totalSteps) - stepsSoFar);
    before.set(velocity);
    cavity.velocity(velocity);
    const elapsed = ((cavity.steps - stepsSoFar) * lid) / cells;
    const change = relativeDifference(velocity, before) / elapsed;
    const steady = change < steadyChange;
    yield { cavity, velocity, time: cavity.time, change, steady };
    if (steady) return;
  }
}

/** ‖a − b‖ / ‖a‖. @param {Float64Array} a @param {Float64Array} b */
function relativeDifference(a, b) {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < a.length; i += 1) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    norm += a[i] * a[i];
  }
  return Math.sqrt(difference / norm);
}
