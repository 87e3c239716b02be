import { centreLine, PROFILE_STATIONS } from './profiles.mjs';

/**
 * @typedef {{ line: 'u' | 'v', members: import('./judge.mjs').MemberResult[],
 *   table: Map<number, import('./ghia.mjs').GhiaProfiles>, series: { reynolds: number, colour: string }[],
 *   lids: number[], x: number, y: number, width: number, height: number }} Panel
 */

const DASHES = ['none', '7 4', '2 3', '9 3 2 3'];
const RANGE = { u: { from: -0.45, to: 1.05 }, v: { from: -0.65, to: 0.45 } };

/** One centre line: members' profiles, what the surrogate said, and the table's points. @param {Panel} panel */
export function drawProfiles(panel) {
  const { line, members, table, series, lids, x, y, width, height } = panel;
  const [plotWidth, plotHeight] = [width - 66, height - 56];
  const range = RANGE[line];
  /** @param {number} s @param {number} velocity station and velocity to pixels: y upwards for u, x to the right for v */
  const place = (s, velocity) => {
    const across = (velocity - range.from) / (range.to - range.from);
    const [px, py] = line === 'u' ? [across, s] : [s, across];
    return [(px * plotWidth).toFixed(1), ((1 - py) * plotHeight).toFixed(1)];
  };
  const colours = new Map(series.map(({ reynolds, colour }) => [reynolds, colour]));
  const lines = members.map((member) => {
    const { positions, values } = centreLine(member.velocity, member.cells, line);
    const dash = DASHES[lids.indexOf(member.lid) % DASHES.length];
    // The second lid velocity lies on the first: drawn narrower, in white, it shows as a line inside a line.
    const stroke = dash === 'none' ? colours.get(member.reynolds) : '#fff';
    const points = Array.from(positions, (s, k) => place(s, values[k]).join(' ')).join('L');
    const weight = dash === 'none' ? 2.6 : 1.1;
    return {
      rank: lids.indexOf(member.lid),
      text: `<path d="M${points}" fill="none" stroke="${stroke}" stroke-width="${weight}" stroke-dasharray="${dash}"/>\n`,
    };
  });
  const surrogate = members.flatMap((member) =>
    Array.from(PROFILE_STATIONS, (s, k) => {
      const [px, py] = place(s, member.surrogate[line === 'u' ? k : k + PROFILE_STATIONS.length]);
      return `<path d="M${px} ${py}m-3 0h6m-3 -3v6" stroke="#111" stroke-width="0.8"/>`;
    }),
  );
  const ghia = series.flatMap(({ reynolds, colour }) =>
    (table.get(reynolds)?.[line] ?? []).map(({ s, value, misprint }) => {
      const [px, py] = place(s, value);
      const fill = misprint ? '#fff' : colour;
      const label = misprint
        ? `<path d="M${px} ${py}m-4 4l-92 66" stroke="#888" stroke-width="0.8"/><text x="${Number(px) - 100}" y="${Number(py) + 78}" text-anchor="end" font-size="12" fill="#555">misprint, left out</text>`
        : '';
      return `<circle cx="${px}" cy="${py}" r="4.2" fill="${fill}" stroke="${misprint ? colour : '#fff'}" stroke-width="${misprint ? 1.6 : 0.9}"/>${label}\n`;
    }),
  );
  return [
    `<g transform="translate(${x + 56} ${y + 8})">\n`,
    axes(line, plotWidth, plotHeight, range),
    ...lines.sort((a, b) => a.rank - b.rank).map(({ text }) => text),
    `<g>${ghia.join('')}</g>\n<g fill="none">${surrogate.join('')}</g>\n`,
    legend(panel, plotWidth, plotHeight),
    '</g>\n',
  ].join('');
}

/** @param {'u' | 'v'} line @param {number} width @param {number} height @param {{ from: number, to: number }} range */
function axes(line, width, height, range) {
  const stations = [0, 0.2, 0.4, 0.6, 0.8, 1];
  const velocities = [-0.6, -0.4, -0.2, 0, 0.2, 0.4, 0.6, 0.8, 1].filter(
    (value) => value > range.from && value < range.to,
  );
  /** @param {number} value */
  const text = (value) => `${value < 0 ? '−' : ''}${Math.abs(value).toFixed(1)}`;
  /** @param {number} value */
  const across = (value) => (value - range.from) / (range.to - range.from);
  const horizontal =
    line === 'u'
      ? velocities.map((value) => ({ value, at: across(value) }))
      : stations.map((value) => ({ value, at: value }));
  const vertical =
    line === 'u'
      ? stations.map((value) => ({ value, at: value }))
      : velocities.map((value) => ({ value, at: across(value) }));
  const [below, beside] = line === 'u' ? ['u / U  on x = 0.5', 'y / L'] : ['x / L', 'v / U  on y = 0.5'];
  return [
    ...horizontal.map(({ value, at }) => {
      const px = (at * width).toFixed(1);
      return `<path d="M${px} 0V${height}" stroke="#e6e6e6"/><text x="${px}" y="${height + 18}" text-anchor="middle">${text(value)}</text>`;
    }),
    ...vertical.map(({ value, at }) => {
      const py = ((1 - at) * height).toFixed(1);
      return `<path d="M0 ${py}H${width}" stroke="#e6e6e6"/><text x="-8" y="${Number(py) + 4}" text-anchor="end">${text(value)}</text>`;
    }),
    `<rect width="${width}" height="${height}" fill="none" stroke="#222"/>`,
    `<text x="${width / 2}" y="${height + 38}" text-anchor="middle" font-size="14">${below}</text>`,
    `<text transform="translate(-44 ${height / 2}) rotate(-90)" text-anchor="middle" font-size="14">${beside}</text>\n`,
  ].join('');
}

/** @param {Panel} panel @param {number} width @param {number} height */
function legend({ line, series, lids }, width, height) {
  const entries = [
    ...series.map(({ reynolds, colour }) => {
      return {
        mark: `<path d="M0 0h26" stroke="${colour}" stroke-width="2.6"/><circle cx="13" r="4.2" fill="${colour}" stroke="#fff" stroke-width="0.9"/>`,
        text: `Re ${reynolds}`,
      };
    }),
    ...(lids.length > 1
      ? [
          {
            mark: '<path d="M0 0h26" stroke="#777" stroke-width="2.6"/><path d="M0 0h26" stroke="#fff" stroke-width="1.1" stroke-dasharray="7 4"/>',
            text: `U ${lids.join(' / ')}`,
          },
        ]
      : []),
    { mark: '<circle cx="13" r="4.2" fill="#777" stroke="#fff" stroke-width="0.9"/>', text: 'Ghia et al.' },
    { mark: '<path d="M10 0h6m-3 -3v6" stroke="#111" stroke-width="0.8"/>', text: 'surrogate' },
  ];
  const [boxWidth, boxHeight] = [136, 12 + 19 * entries.length];
  const [left, top] = [width - boxWidth - 12, line === 'u' ? height - boxHeight - 12 : 12];
  return [
    `<g transform="translate(${left} ${top})"><rect width="${boxWidth}" height="${boxHeight}" rx="3" fill="#fff" fill-opacity="0.9" stroke="#ccc"/>\n`,
    ...entries.map(
      ({ mark, text }, i) =>
        `<g transform="translate(10 ${16 + 19 * i})">${mark}<text x="34" y="4">${text}</text></g>\n`,
    ),
    '</g>\n',
  ].join('');
}
