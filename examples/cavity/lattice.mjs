/**
 * Lid-driven cavity on a D2Q9 lattice: two relaxation times, half-way bounce-back, moving lid.
 *
 * Directions, with their numbers:   6 2 5
 *                                   3 0 1
 *                                   7 4 8
 *
 * Populations are kept as deviations from their values at rest (f − w), which saves digits, and the equilibrium is that of
 * an incompressible fluid (density 1 in the momentum): w (ρ + 3 c·u + 9/2 (c·u)² − 3/2 u²). Only + − × ÷ and square roots
 * are used, so the fields are the same bits on every machine.
 */

/** Product of the two relaxation times' distances from ½: puts a half-way wall exactly half-way, whatever the viscosity. */
export const MAGIC = 3 / 16;

/**
 * One step for all cells: each pulls its populations from its neighbours in `from`, collides, and writes to `to`.
 * @param {Float64Array} from @param {Float64Array} to @param {number} cells @param {number} even @param {number} odd
 */
function collideAndStream(from, to, cells, even, odd) {
  const stride = cells + 2;
  const plane = stride * stride;
  const halfEven = even / 2;
  const halfOdd = odd / 2;
  const [p1, p2, p3, p4] = [plane, 2 * plane, 3 * plane, 4 * plane];
  const [p5, p6, p7, p8] = [5 * plane, 6 * plane, 7 * plane, 8 * plane];
  for (let y = 1; y <= cells; y += 1) {
    const end = y * stride + cells;
    for (let i = y * stride + 1; i <= end; i += 1) {
      const f0 = from[i];
      const f1 = from[p1 + i - 1];
      const f2 = from[p2 + i - stride];
      const f3 = from[p3 + i + 1];
      const f4 = from[p4 + i + stride];
      const f5 = from[p5 + i - stride - 1];
      const f6 = from[p6 + i - stride + 1];
      const f7 = from[p7 + i + stride + 1];
      const f8 = from[p8 + i + stride - 1];

      const sumX = f1 + f3;
      const sumY = f2 + f4;
      const sumUp = f5 + f7;
      const sumDown = f6 + f8;
      const differenceX = f1 - f3;
      const differenceY = f2 - f4;
      const differenceUp = f5 - f7;
      const differenceDown = f6 - f8;
      const ux = differenceX + differenceUp - differenceDown;
      const uy = differenceY + differenceUp + differenceDown;
      const up = ux + uy;
      const down = uy - ux;
      const rest = f0 + sumX + sumY + sumUp + sumDown - 1.5 * (ux * ux + uy * uy);

      const evenX = halfEven * (sumX - (2 / 9) * (rest + 4.5 * ux * ux));
      const evenY = halfEven * (sumY - (2 / 9) * (rest + 4.5 * uy * uy));
      const evenUp = halfEven * (sumUp - (1 / 18) * (rest + 4.5 * up * up));
      const evenDown = halfEven * (sumDown - (1 / 18) * (rest + 4.5 * down * down));
      const oddX = halfOdd * (differenceX - (2 / 3) * ux);
      const oddY = halfOdd * (differenceY - (2 / 3) * uy);
      const oddUp = halfOdd * (differenceUp - (1 / 6) * up);
      const oddDown = halfOdd * (differenceDown - (1 / 6) * down);

      to[i] = f0 - even * (f0 - (4 / 9) * rest);
      to[p1 + i] = f1 - evenX - oddX;
      to[p3 + i] = f3 - evenX + oddX;
      to[p2 + i] = f2 - evenY - oddY;
      to[p4 + i] = f4 - evenY + oddY;
      to[p5 + i] = f5 - evenUp - oddUp;
      to[p7 + i] = f7 - evenUp + oddUp;
      to[p6 + i] = f6 - evenDown - oddDown;
      to[p8 + i] = f8 - evenDown + oddDown;
    }
  }
}

/**
 * Fills the cells beyond the walls, so that what the next step pulls from them is what bounced off the wall.
 * The side walls come last: links into the lid's two corners are theirs and at rest. Were they the lid's, the error at
 * 48 cells would be three times as large. Either way the lid gives and takes the same mass.
 * @param {Float64Array} f @param {number} cells @param {number} lid
 */
function bounceBack(f, cells, lid) {
  const stride = cells + 2;
  const plane = stride * stride;
  const [p1, p2, p3, p4] = [plane, 2 * plane, 3 * plane, 4 * plane];
  const [p5, p6, p7, p8] = [5 * plane, 6 * plane, 7 * plane, 8 * plane];
  for (let x = 1; x <= cells; x += 1) {
    const bottom = stride + x;
    f[p2 + bottom - stride] = f[p4 + bottom];
    f[p5 + bottom - stride - 1] = f[p7 + bottom];
    f[p6 + bottom - stride + 1] = f[p8 + bottom];
    const top = cells * stride + x;
    f[p4 + top + stride] = f[p2 + top];
    f[p7 + top + stride + 1] = f[p5 + top] - lid / 6;
    f[p8 + top + stride - 1] = f[p6 + top] + lid / 6;
  }
  for (let y = 1; y <= cells; y += 1) {
    const left = y * stride + 1;
    f[p1 + left - 1] = f[p3 + left];
    f[p5 + left - stride - 1] = f[p7 + left];
    f[p8 + left + stride - 1] = f[p6 + left];
    const right = y * stride + cells;
    f[p3 + right + 1] = f[p1 + right];
    f[p7 + right + stride + 1] = f[p5 + right];
    f[p6 + right - stride + 1] = f[p8 + right];
  }
}

/** A square cavity of `cells` × `cells`, fluid at rest, whose lid y = 1 has just begun to move in x. */
export class Cavity {
  /** @param {{ cells: number, lid: number, reynolds: number }} parameters `lid` in cells a step */
  constructor({ cells, lid, reynolds }) {
    this.cells = cells;
    this.lid = lid;
    this.reynolds = reynolds;
    this.steps = 0;
    const viscosityDistance = (3 * lid * cells) / reynolds;
    this.evenRate = 1 / (viscosityDistance + 0.5);
    this.oddRate = 1 / (MAGIC / viscosityDistance + 0.5);
    const plane = (cells + 2) * (cells + 2);
    this.from = new Float64Array(9 * plane);
    this.to = new Float64Array(9 * plane);
    bounceBack(this.from, cells, lid);
  }

  /** Time since the lid began to move, in units of L/U. */
  get time() {
    return (this.steps * this.lid) / this.cells;
  }

  /** @param {number} count steps to take */
  advance(count) {
    for (let step = 0; step < count; step += 1) {
      collideAndStream(this.from, this.to, this.cells, this.evenRate, this.oddRate);
      bounceBack(this.to, this.cells, this.lid);
      [this.from, this.to] = [this.to, this.from];
    }
    this.steps += count;
  }

  /**
   * The velocity in units of U at the cells' centres, [y][x][component].
   * @param {Float64Array} [into] filled and returned
   */
  velocity(into = new Float64Array(2 * this.cells * this.cells)) {
    const { cells, from: f } = this;
    const stride = cells + 2;
    const plane = stride * stride;
    let out = 0;
    for (let y = 1; y <= cells; y += 1) {
      for (let x = 1; x <= cells; x += 1) {
        const i = y * stride + x;
        const up = f[5 * plane + i] - f[7 * plane + i];
        const down = f[6 * plane + i] - f[8 * plane + i];
        into[out] = (f[plane + i] - f[3 * plane + i] + up - down) / this.lid;
        into[out + 1] = (f[2 * plane + i] - f[4 * plane + i] + up + down) / this.lid;
        out += 2;
      }
    }
    return into;
  }

  /** The cavity's mass less that at the start; 0 but for rounding. */
  excessMass() {
    const stride = this.cells + 2;
    let mass = 0;
    for (let q = 0; q < 9; q += 1) {
      for (let y = 1; y <= this.cells; y += 1) {
        for (let x = 1; x <= this.cells; x += 1) mass += this.from[q * stride * stride + y * stride + x];
      }
    }
    return mass;
  }
}
