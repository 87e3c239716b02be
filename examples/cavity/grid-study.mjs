/**
 * The solver's order, by a study against itself: the centre-line profiles on three grids, run until nothing changes.
 * Usage: node grid-study.mjs      about two minutes on one core
 *
 * With an error C hᵖ the differences between the grids' profiles behave as 48⁻ᵖ − 64⁻ᵖ to 64⁻ᵖ − 96⁻ᵖ; p is what
 * makes that ratio the one observed. The error left at N = 96 follows from the same formula.
 */
import { readGhia } from './ghia.mjs';
import { judge } from './judge.mjs';
import { PROFILE_STATIONS, profile } from './profiles.mjs';
import { runToSteady } from './run-to-steady.mjs';

const GRIDS = [48, 64, 96];
const LID = 0.1;
const STEADY_CHANGE = 1e-7;
const END_TIME = 400;

/** @param {number} cells @param {number} reynolds */
function steadyVelocity(cells, reynolds) {
  /** @type {Float64Array} */
  let velocity = new Float64Array();
  for (const moment of runToSteady({ cells, lid: LID, reynolds, endTime: END_TIME, steadyChange: STEADY_CHANGE })) {
    velocity = moment.velocity;
  }
  return velocity;
}

/** Root of the mean square. @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
function difference(a, b) {
  const sum = Array.from(a, (value, i) => (value - b[i]) ** 2).reduce((all, square) => all + square, 0);
  return Math.sqrt(sum / a.length);
}

/** The p for which (coarse⁻ᵖ − middle⁻ᵖ) / (middle⁻ᵖ − fine⁻ᵖ) is `ratio`, by bisection. @param {number} ratio */
function observedOrder(ratio) {
  const [coarse, middle, fine] = GRIDS;
  let [low, high] = [0.1, 8];
  for (let i = 0; i < 60; i += 1) {
    const p = (low + high) / 2;
    if ((coarse ** -p - middle ** -p) / (middle ** -p - fine ** -p) < ratio) low = p;
    else high = p;
  }
  return (low + high) / 2;
}

const table = readGhia();
console.log('  Re   |48-64|   |64-96|   order   left at 96   off the table by at most: 48, 64, 96');
for (const reynolds of table.keys()) {
  const members = GRIDS.map((cells) => {
    const velocity = steadyVelocity(cells, reynolds);
    const [profileU, profileV] = [profile(velocity, cells, 'u'), profile(velocity, cells, 'v')];
    const surrogate = new Float64Array(2 * PROFILE_STATIONS.length);
    return { name: `N = ${cells}`, reynolds, lid: LID, cells, steps: 0, velocity, profileU, profileV, surrogate };
  });
  const lines = members.map(({ profileU, profileV }) => [...profileU, ...profileV]);
  const coarse = difference(lines[0], lines[1]);
  const fine = difference(lines[1], lines[2]);
  const order = observedOrder(coarse / fine);
  const left = fine / ((96 / 64) ** order - 1);
  const off = members.map((member) => {
    const { ghiaU, ghiaV } = judge(member, table);
    return Math.max(ghiaU?.deviation ?? Number.NaN, ghiaV?.deviation ?? Number.NaN).toFixed(4);
  });
  const columns = [
    coarse.toFixed(6),
    fine.toFixed(6),
    ` ${order.toFixed(2)} `,
    ` ${left.toFixed(6)} `,
    ` ${off.join(', ')}`,
  ];
  console.log(`${String(reynolds).padStart(4)}  ${columns.join('  ')}`);
}
