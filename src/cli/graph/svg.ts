import type { Graph, GraphEdge, GraphNode } from './graph.js';
import { fontSize, type Layout, layOut, lineHeight, type PlacedNode, textWidth } from './layout.js';

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
    ...graph.edges.flatMap((edge) => {
      // Edges of one pair run beside each other.
      const beside = graph.edges.filter(({ from, to }) => from === edge.from && to === edge.to);
      const share = edge.kind === 'sees' ? 0.8 : (beside.indexOf(edge) + 1) / (beside.length + 1);
      return drawEdge(edge, share, layout);
    }),
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

/** Draws an edge; `share` says where on the sides of its nodes it ends, from 0 to 1. */
function drawEdge(edge: GraphEdge, share: number, layout: Layout): string[] {
  const from = layout.nodes.get(edge.from);
  const to = layout.nodes.get(edge.to);
  if (from === undefined || to === undefined || from === to) return [];
  const { colour, dashes, arrow } = strokes[edge.kind];
  const { path, label } = routeOf(edge, from, to, share, layout);
  const style = `fill="none" stroke="${colour}"${dashes === undefined ? '' : ` stroke-dasharray="${dashes}"`}`;
  const drawn = `<path d="${path}" ${style} stroke-width="1.4"${arrow ? ` marker-end="url(#${edge.kind})"` : ''}/>`;
  if (edge.label === '') return [drawn];
  const width = textWidth(edge.label);
  return [
    drawn,
    `<rect x="${label.x - width / 2}" y="${label.y - 7}" width="${width}" height="14" fill="#f5f7fa" opacity="0.9"/>`,
    `<text x="${label.x}" y="${label.y + 4}" text-anchor="middle" fill="${colour}">${escapeXml(edge.label)}</text>`,
  ];
}

interface Route {
  readonly path: string;
  readonly label: { readonly x: number; readonly y: number };
}

function routeOf({ kind }: GraphEdge, from: PlacedNode, to: PlacedNode, share: number, layout: Layout): Route {
  if (kind === 'sees' && to.x >= from.x + from.width && to.y + to.height < from.y) {
    const start = { x: from.x + from.width * 0.85, y: from.y };
    const end = { x: to.x + to.width / 2, y: to.y + to.height };
    const middle = (start.y + end.y) / 2;
    return {
      path: `M${start.x} ${start.y}C${start.x} ${middle} ${end.x} ${middle} ${end.x} ${end.y}`,
      label: { x: start.x, y: middle },
    };
  }
  if (to.x >= from.x + from.width) {
    const stack = from.kind === 'ensemble' && kind === 'after' ? 3 : 0;
    const start = { x: from.x + from.width + stack, y: from.y + from.height * share };
    const end = { x: to.x, y: to.y + to.height * share };
    // A line over several columns takes its row in the first gap: the row is free up to its end.
    const turn = Math.min(end.x, layout.nextColumn(start.x));
    const bend = (turn - start.x) / 2;
    const curve = `M${start.x} ${start.y}C${start.x + bend} ${start.y} ${turn - bend} ${end.y} ${turn} ${end.y}`;
    const label = { x: start.x + bend, y: (start.y + end.y) / 2 };
    return { path: turn < end.x ? `${curve}H${end.x}` : curve, label };
  }
  const down = to.y > from.y;
  const across = kind === 'sees' ? 0.5 : share;
  const start = { x: from.x + from.width * across, y: down ? from.y + from.height : from.y };
  const end = { x: to.x + to.width * across, y: down ? to.y : to.y + to.height };
  const bend = (end.y - start.y) / 2;
  const path = `M${start.x} ${start.y}C${start.x} ${start.y + bend} ${end.x} ${end.y - bend} ${end.x} ${end.y}`;
  return { path, label: { x: (start.x + end.x) / 2, y: start.y + bend } };
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

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
