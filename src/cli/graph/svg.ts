import type { Graph, GraphEdge, GraphNode } from './graph.js';
import { fontSize, layOut, lineHeight, type PlacedEdge, type PlacedNode, type Point, textWidth } from './layout.js';

/** A graph as a picture of its own, without any program to draw it. */
export function svg(graph: Graph): string {
  const layout = layOut(graph);
  const width = Math.max(Math.ceil(layout.width), legendWidth);
  const height = Math.ceil(layout.height) + legendHeight;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`,
    `  font-family="Helvetica, Arial, sans-serif" font-size="${fontSize}" fill="#1f2933">`,
    '<defs>',
    ...['after', 'reads'].map(
      (kind) =>
        `<marker id="${kind}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">` +
        `<path d="M0 0L8 4L0 8z" fill="${strokes[kind as GraphEdge['kind']].colour}"/></marker>`,
    ),
    '</defs>',
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    `<text x="20" y="30" font-size="${fontSize * 1.3}" font-weight="bold">${escapeXml(graph.title)}</text>`,
    ...layout.jobs.map(
      ({ label, x, y, width, height }) =>
        `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" fill="#f5f7fa" stroke="#cbd2d9"/>\n` +
        `<text x="${x + 12}" y="${y + 18}" fill="#52606d">${escapeXml(label)}</text>`,
    ),
    ...layout.edges.flatMap(drawEdge),
    ...[...layout.nodes.values()].map(drawNode),
    drawLegend(layout.height),
    '</svg>',
  ].join('\n')}\n`;
}

const legendHeight = 34;
const legendWidth = 470;

interface Stroke {
  readonly colour: string;
  readonly dashes?: string;
  readonly arrow: boolean;
}

const strokes: { readonly [Kind in GraphEdge['kind']]: Stroke } = {
  after: { colour: '#243b53', arrow: true },
  reads: { colour: '#b44d12', dashes: '5 4', arrow: true },
  sees: { colour: '#9fb3c8', arrow: false },
  loads: { colour: '#9fb3c8', arrow: false },
  beside: { colour: '#243b53', dashes: '2 3', arrow: false },
};

const fills: { readonly [Kind in GraphNode['kind']]: readonly [fill: string, stroke: string] } = {
  model: ['#ffffff', '#486581'],
  ensemble: ['#ffffff', '#486581'],
  'ray-cluster': ['#f0e7fc', '#7c4dbd'],
  store: ['#e3f8ff', '#2680c2'],
  'ml-model': ['#e3f9e5', '#3f9142'],
  script: ['#fffbea', '#cb6e17'],
};

function drawNode({ kind, name, details, x, y, width, height }: PlacedNode): string {
  const [fill, stroke] = fills[kind];
  const radius = kind === 'store' ? 14 : kind === 'model' || kind === 'ensemble' ? 3 : 8;
  const box = (by: number) =>
    `<rect x="${x + by}" y="${y - by}" width="${width}" height="${height}" rx="${radius}" fill="${fill}" stroke="${stroke}"/>`;
  const middle = x + width / 2;
  const lines = [name, ...details].map((text, line) => {
    const style = line === 0 ? 'font-weight="bold"' : 'fill="#52606d"';
    return `<text x="${middle}" y="${y + 20 + line * lineHeight}" text-anchor="middle" ${style}>${escapeXml(text)}</text>`;
  });
  // An ensemble is a stack of its members.
  return [...(kind === 'ensemble' ? [box(6), box(3)] : []), box(0), ...lines].join('\n');
}

function drawEdge({ kind, label, points, middle }: PlacedEdge): string[] {
  const { colour, dashes, arrow } = strokes[kind];
  const style = `fill="none" stroke="${colour}"${dashes === undefined ? '' : ` stroke-dasharray="${dashes}"`}`;
  const drawn = `<path d="${curveThrough(points)}" ${style} stroke-width="1.4"${arrow ? ` marker-end="url(#${kind})"` : ''}/>`;
  if (label === '') return [drawn];
  const width = textWidth(label);
  return [
    drawn,
    `<rect x="${middle.x - width / 2}" y="${middle.y - 7}" width="${width}" height="14" fill="#f5f7fa" opacity="0.9"/>`,
    `<text x="${middle.x}" y="${middle.y + 4}" text-anchor="middle" fill="${colour}">${escapeXml(label)}</text>`,
  ];
}

/** A path through points: horizontal at each bend, and straight towards the boxes at its ends. */
function curveThrough([first, ...rest]: readonly Point[]): string {
  if (first === undefined) return '';
  const curves = rest.map((to, index) => {
    const from = rest[index - 1] ?? first;
    const middle = (from.x + to.x) / 2;
    const leaves = index === 0 ? between(from, to, 0.4) : { x: middle, y: from.y };
    const reaches = index === rest.length - 1 ? between(from, to, 0.6) : { x: middle, y: to.y };
    return `C${leaves.x} ${leaves.y} ${reaches.x} ${reaches.y} ${to.x} ${to.y}`;
  });
  return `M${first.x} ${first.y}${curves.join('')}`;
}

function between(from: Point, to: Point, share: number): Point {
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share };
}

function drawLegend(top: number): string {
  const items: readonly (readonly [GraphEdge['kind'], string])[] = [
    ['after', 'waits for'],
    ['reads', 'reads keys of'],
    ['sees', 'uses the store'],
  ];
  let x = 20;
  const y = Math.ceil(top) + 12;
  return items
    .map(([kind, text]) => {
      const { colour, dashes, arrow } = strokes[kind];
      const start = x;
      x += 40 + textWidth(text) + 20;
      return (
        `<path d="M${start} ${y}H${start + 30}" stroke="${colour}" stroke-width="1.4"` +
        `${dashes === undefined ? '' : ` stroke-dasharray="${dashes}"`}${arrow ? ` marker-end="url(#${kind})"` : ''}/>\n` +
        `<text x="${start + 38}" y="${y + 4}" fill="#52606d">${text}</text>`
      );
    })
    .join('\n');
}

/** The text as XML's character references write it. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
