/**
 * Values between the cells' centres, and the two means of a field that the example works with.
 *
 * A centre line lies between two columns (or rows) of cells. Across it: the cubic through the four nearest cells,
 * (−1, 9, 9, −1)/16. Along it: the cubic (Lagrange) through the four nearest of the cells' centres and the two wall
 * points, whose values are known. Both are of fourth order, the solver is of second.
 */

/** Stations of the profiles that a member stores: 0, 1/32, …, 1. */
export const PROFILE_STATIONS = Float64Array.from({ length: 33 }, (_, k) => k / 32);

/** Blocks in x and in y of the field that the surrogate is given. */
export const SURROGATE_BLOCKS = 16;

/**
 * A line of a component through the middle of the cavity, at the cells' centres and both walls.
 * @param {ArrayLike<number>} velocity [y][x][component] in units of U @param {number} cells
 * @param {'u' | 'v'} line u on x = ½ over y, or v on y = ½ over x
 */
export function centreLine(velocity, cells, line) {
  const positions = new Float64Array(cells + 2);
  const values = new Float64Array(cells + 2);
  const half = cells / 2;
  for (let k = 0; k < cells; k += 1) {
    /** @param {number} across */
    const at = (across) => (line === 'u' ? velocity[2 * (k * cells + across)] : velocity[2 * (across * cells + k) + 1]);
    positions[k + 1] = (k + 0.5) / cells;
    values[k + 1] = (9 * (at(half - 1) + at(half)) - at(half - 2) - at(half + 1)) / 16;
  }
  positions[cells + 1] = 1;
  values[cells + 1] = line === 'u' ? 1 : 0;
  return { positions, values };
}

/**
 * The cubic through the four points of a line nearest to `s`.
 * @param {{ positions: Float64Array, values: Float64Array }} line @param {number} s 0 … 1
 */
export function interpolate({ positions, values }, s) {
  let above = positions.findIndex((position) => position >= s);
  if (positions[above] === s) return values[above];
  above = Math.min(Math.max(above, 2), positions.length - 2);
  let sum = 0;
  for (let i = above - 2; i < above + 2; i += 1) {
    let weight = 1;
    for (let j = above - 2; j < above + 2; j += 1) {
      if (j !== i) weight *= (s - positions[j]) / (positions[i] - positions[j]);
    }
    sum += weight * values[i];
  }
  return sum;
}

/**
 * A centre-line profile at given stations, in units of U.
 * @param {ArrayLike<number>} velocity @param {number} cells @param {'u' | 'v'} line @param {ArrayLike<number>} stations
 */
export function profile(velocity, cells, line, stations = PROFILE_STATIONS) {
  const points = centreLine(velocity, cells, line);
  return Float64Array.from(stations, (s) => interpolate(points, s));
}

/**
 * Means of the velocity over 16 × 16 blocks, [y][x][component]: what the surrogate is given.
 * @param {ArrayLike<number>} velocity @param {number} cells a multiple of 16
 */
export function blockMeans(velocity, cells) {
  const side = cells / SURROGATE_BLOCKS;
  const sums = new Float64Array(2 * SURROGATE_BLOCKS * SURROGATE_BLOCKS);
  for (let y = 0; y < cells; y += 1) {
    for (let x = 0; x < cells; x += 1) {
      const block = 2 * (Math.floor(y / side) * SURROGATE_BLOCKS + Math.floor(x / side));
      sums[block] += velocity[2 * (y * cells + x)];
      sums[block + 1] += velocity[2 * (y * cells + x) + 1];
    }
  }
  return sums.map((sum) => sum / (side * side));
}
