/** Fields derived from a velocity [y][x][component] in units of U, for the picture. */

/**
 * Vorticity dv/dx − du/dy at the cells' centres, in units of U/L, [y][x]. Next to a wall the difference is taken over
 * the wall's own value, half a cell away.
 * @param {ArrayLike<number>} velocity @param {number} cells
 */
export function vorticity(velocity, cells) {
  const result = new Float64Array(cells * cells);
  /** @param {number} x @param {number} y @param {0 | 1} component */
  const at = (x, y, component) => velocity[2 * (y * cells + x) + component];
  for (let y = 0; y < cells; y += 1) {
    for (let x = 0; x < cells; x += 1) {
      const [left, xLeft] = x > 0 ? [at(x - 1, y, 1), x - 0.5] : [0, 0];
      const [right, xRight] = x < cells - 1 ? [at(x + 1, y, 1), x + 1.5] : [0, cells];
      const [below, yBelow] = y > 0 ? [at(x, y - 1, 0), y - 0.5] : [0, 0];
      const [above, yAbove] = y < cells - 1 ? [at(x, y + 1, 0), y + 1.5] : [1, cells];
      result[y * cells + x] =
        (cells * (right - left)) / (xRight - xLeft) - (cells * (above - below)) / (yAbove - yBelow);
    }
  }
  return result;
}

/**
 * Stream function (u = dψ/dy, ψ = 0 at the bottom) in units of U L, at x = 0, the cells' centres and 1, and at y = the cells' edges.
 * @param {ArrayLike<number>} velocity @param {number} cells
 */
export function streamFunction(velocity, cells) {
  const xs = [0, ...Array.from({ length: cells }, (_, i) => (i + 0.5) / cells), 1];
  const ys = Array.from({ length: cells + 1 }, (_, j) => j / cells);
  const width = cells + 2;
  const values = new Float64Array(width * (cells + 1));
  for (let y = 0; y < cells; y += 1) {
    for (let x = 0; x < cells; x += 1) {
      values[(y + 1) * width + x + 1] = values[y * width + x + 1] + velocity[2 * (y * cells + x)] / cells;
    }
  }
  return { xs, ys, values };
}

/**
 * Contours of a field on a rectangular grid, as polylines of [x, y]: marching squares, segments joined at their ends.
 * @param {{ xs: number[], ys: number[], values: Float64Array }} field @param {number} level
 * @returns {[number, number][][]}
 */
export function contours({ xs, ys, values }, level) {
  const width = xs.length;
  /** Grid edges crossed together: an edge is numbered 2 × (its first point) + (0 along x, 1 along y). @type {Map<number, number[]>} */
  const neighbours = new Map();
  /** @param {number} a @param {number} b */
  const join = (a, b) => {
    neighbours.set(a, [...(neighbours.get(a) ?? []), b]);
    neighbours.set(b, [...(neighbours.get(b) ?? []), a]);
  };
  for (let y = 0; y < ys.length - 1; y += 1) {
    for (let x = 0; x < width - 1; x += 1) {
      const i = y * width + x;
      const corners = [i, i + 1, i + width + 1, i + width].map((point) => values[point] > level);
      const edges = [2 * i, 2 * (i + 1) + 1, 2 * (i + width), 2 * i + 1];
      const crossed = edges.filter((_, k) => corners[k] !== corners[(k + 1) % 4]);
      for (let k = 0; k < crossed.length; k += 2) join(crossed[k], crossed[k + 1]);
    }
  }
  /** @param {number} edge @returns {[number, number]} */
  const point = (edge) => {
    const i = edge >> 1;
    const j = edge % 2 === 0 ? i + 1 : i + width;
    const t = (level - values[i]) / (values[j] - values[i]);
    const [xi, yi, xj, yj] = [xs[i % width], ys[Math.floor(i / width)], xs[j % width], ys[Math.floor(j / width)]];
    return [xi + t * (xj - xi), yi + t * (yj - yi)];
  };
  const lines = [];
  const ends = [...neighbours.keys()].filter((edge) => neighbours.get(edge)?.length === 1);
  for (const start of [...ends, ...neighbours.keys()]) {
    if (!neighbours.has(start)) continue;
    /** @type {[number, number][]} */
    const line = [];
    /** @type {number | undefined} */
    let edge = start;
    while (edge !== undefined) {
      line.push(point(edge));
      /** @type {number[]} */
      const next = neighbours.get(edge) ?? [];
      neighbours.delete(edge);
      edge = next.find((other) => neighbours.has(other));
      if (edge === undefined && next.includes(start) && line.length > 2) line.push(point(start));
    }
    lines.push(line);
  }
  return lines;
}
