import { diverging, SERIES } from './colours.mjs';
import { contours, streamFunction, vorticity } from './fields.mjs';
import { encodePng } from './png.mjs';
import { drawProfiles } from './profile-panel.mjs';

/** @typedef {import('./judge.mjs').MemberResult} MemberResult */

const TILE = 256;
const GAP = 26;
const LEFT = 46;
const TOP = 104;
const PANEL = { width: 500, height: 374 };

/** Vorticity at the ends of the colour scale, in units of U/L. */
const VORTICITY_RANGE = 6;

/** Stream function, in units of U L: the corner eddies turn the other way and are some thousand times weaker. */
const LEVELS = [-0.115, -0.1, -0.08, -0.06, -0.04, -0.02, -0.005, -0.0005, 1e-5, 1e-4, 4e-4, 1e-3, 1.6e-3];

/**
 * The ensemble as one self-contained SVG: vorticity and streamlines of each member, Reynolds numbers across and lid
 * velocities down, beside the centre-line profiles over the table's points.
 * @param {MemberResult[]} members @param {Map<number, import('./ghia.mjs').GhiaProfiles>} table
 */
export function drawCavities(members, table) {
  const reynolds = [...new Set(members.map((member) => member.reynolds))].sort((a, b) => a - b);
  const lids = [...new Set(members.map((member) => member.lid))].sort((a, b) => a - b);
  const tilesRight = LEFT + reynolds.length * (TILE + GAP) - GAP;
  const tilesBottom = TOP + lids.length * (TILE + GAP) - GAP;
  const panelLeft = tilesRight + 46;
  const width = panelLeft + PANEL.width + 30;
  const height = Math.max(tilesBottom + 132, TOP + 2 * PANEL.height + 6);
  const series = reynolds.map((number, i) => ({ reynolds: number, colour: SERIES[i % SERIES.length] }));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`,
    ` font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif" font-size="13" fill="#222">\n`,
    `<title>Lid-driven cavity: vorticity and centre-line velocities</title>\n`,
    `<rect width="${width}" height="${height}" fill="#fff"/>\n`,
    `<text x="${LEFT}" y="36" font-size="21" font-weight="bold">Lid-driven cavity</text>\n`,
    `<text x="${LEFT}" y="58" fill="#555">D2Q9 lattice Boltzmann, two relaxation times, ${gridText(members)}</text>\n`,
    ...reynolds.map((number, i) => caption(LEFT + i * (TILE + GAP) + TILE / 2, TOP - 12, `Re = ${number}`)),
    ...lids.map((lid, i) => {
      const y = TOP + i * (TILE + GAP) + TILE / 2;
      return `<text transform="translate(${LEFT - 14} ${y}) rotate(-90)" text-anchor="middle" font-size="15">U = ${lid}</text>\n`;
    }),
    ...members.map((member) => {
      const x = LEFT + reynolds.indexOf(member.reynolds) * (TILE + GAP);
      return tile(member, x, TOP + lids.indexOf(member.lid) * (TILE + GAP));
    }),
    colourBar(LEFT, tilesBottom + 24, tilesRight - LEFT),
    notes(LEFT, tilesBottom + 92),
    drawProfiles({ line: 'u', members, table, series, lids, x: panelLeft, y: TOP - 34, ...PANEL }),
    drawProfiles({ line: 'v', members, table, series, lids, x: panelLeft, y: TOP - 34 + PANEL.height + 22, ...PANEL }),
    '</svg>\n',
  ].join('');
}

/** @param {MemberResult[]} members */
function gridText(members) {
  return [...new Set(members.map(({ cells }) => `${cells} × ${cells} cells`))].join(', ');
}

/** @param {number} x @param {number} y @param {string} text */
function caption(x, y, text) {
  return `<text x="${x}" y="${y}" text-anchor="middle" font-size="15">${text}</text>\n`;
}

/** @param {MemberResult} member @param {number} x @param {number} y */
function tile({ velocity, cells }, x, y) {
  const field = vorticity(velocity, cells);
  const rgb = new Uint8Array(3 * cells * cells);
  for (let row = 0; row < cells; row += 1) {
    for (let column = 0; column < cells; column += 1) {
      rgb.set(diverging(field[(cells - 1 - row) * cells + column] / VORTICITY_RANGE), 3 * (row * cells + column));
    }
  }
  const stream = streamFunction(velocity, cells);
  const paths = LEVELS.map((level) => {
    const lines = contours(stream, level).filter((line) => line.length > 4);
    const d = lines.map(
      (line) => `M${line.map(([px, py]) => `${(px * TILE).toFixed(1)} ${((1 - py) * TILE).toFixed(1)}`).join('L')}`,
    );
    return `<path d="${d.join('')}"/>`;
  });
  const href = `data:image/png;base64,${encodePng(cells, cells, rgb).toString('base64')}`;
  return [
    `<g transform="translate(${x} ${y})">`,
    `<image width="${TILE}" height="${TILE}" preserveAspectRatio="none" href="${href}"/>\n`,
    `<g fill="none" stroke="#111" stroke-width="0.7" stroke-opacity="0.75">${paths.join('\n')}</g>\n`,
    `<path d="M0 0V${TILE}H${TILE}V0" fill="none" stroke="#222" stroke-width="1.6"/>`,
    `<path d="M0 0H${TILE}" stroke="#222" stroke-width="3.2"/></g>\n`,
  ].join('');
}

/** @param {number} x @param {number} y @param {number} width */
function colourBar(x, y, width) {
  const pixels = 256;
  const rgb = Uint8Array.from({ length: pixels }, (_, i) => i).reduce(
    (all, i) => {
      all.set(diverging((2 * i) / (pixels - 1) - 1), 3 * i);
      return all;
    },
    new Uint8Array(3 * pixels),
  );
  const href = `data:image/png;base64,${encodePng(pixels, 1, rgb).toString('base64')}`;
  const ticks = [-VORTICITY_RANGE, -VORTICITY_RANGE / 2, 0, VORTICITY_RANGE / 2, VORTICITY_RANGE].map((value) => {
    const at = x + (width * (value / VORTICITY_RANGE + 1)) / 2;
    const text = `${value < 0 ? '−' : ''}${Math.abs(value)}`;
    return `<path d="M${at} ${y + 12}v5" stroke="#222"/><text x="${at}" y="${y + 31}" text-anchor="middle">${text}</text>\n`;
  });
  return [
    `<image x="${x}" y="${y}" width="${width}" height="12" preserveAspectRatio="none" href="${href}"/>`,
    `<rect x="${x}" y="${y}" width="${width}" height="12" fill="none" stroke="#222"/>\n`,
    ...ticks,
    `<text x="${x + width / 2}" y="${y + 49}" text-anchor="middle">vorticity [U/L], clipped</text>\n`,
  ].join('');
}

/** @param {number} x @param {number} y */
function notes(x, y) {
  return [
    `<text x="${x}" y="${y}" font-size="12" fill="#555">Lines: stream function ${LEVELS.filter((level) => level < 0)
      .join(', ')
      .replaceAll('-', '−')}</text>\n`,
    `<text x="${x}" y="${y + 16}" font-size="12" fill="#555">and, in the corner eddies, ${LEVELS.filter(
      (level) => level > 0,
    )
      .join(', ')
      .replaceAll('-', '−')} U L.</text>\n`,
    `<text x="${x}" y="${y + 32}" font-size="12" fill="#555">Table: U. Ghia, K. N. Ghia, C. T. Shin, J. Comput. Phys. 48 (1982) 387–411.</text>\n`,
  ].join('');
}
