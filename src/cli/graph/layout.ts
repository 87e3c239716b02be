import type { Graph, GraphEdge, GraphNode } from './graph.js';

/** A node with its place: the upper left corner, in pixels. */
export interface PlacedNode extends GraphNode {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A job's box. */
export interface PlacedJob {
  readonly label: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A graph with every box in its place. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly jobs: readonly PlacedJob[];
  readonly nodes: ReadonlyMap<string, PlacedNode>;
  /** Where the next column starts, seen from the right end of a node. */
  nextColumn(x: number): number;
}

export const fontSize = 12;
export const lineHeight = 16;

const padding = 14;
const gapX = 90;
const gapY = 26;
const jobPadding = 20;
const jobTitle = 26;
const jobGap = 30;
const margin = 20;

/** Width of a text in the font of the picture, rounded up: no font is at hand to measure it. */
export function textWidth(text: string): number {
  return Math.ceil(text.length * fontSize * 0.6);
}

/**
 * Boxes in layers: what waits stands to the right of what it waits for, in the same column for all jobs; each job has a band of rows of
 * its own, with its stores and their ML models below its entities.
 */
export function layOut(graph: Graph): Layout {
  const columns = columnsOf(graph);
  const sizes = new Map(graph.nodes.map((node) => [node.id, sizeOf(node)]));
  const lastColumn = Math.max(0, ...columns.values());
  const widths = Array.from({ length: lastColumn + 1 }, (_, column) =>
    Math.max(
      60,
      ...graph.nodes.filter(({ id }) => columns.get(id) === column).map(({ id }) => sizes.get(id)?.width ?? 0),
    ),
  );
  const gaps = gapsOf(graph, columns, lastColumn);
  const left = widths.map((_, column) =>
    widths.slice(0, column).reduce((sum, width, before) => sum + width + (gaps[before] ?? gapX), margin + jobPadding),
  );
  const nodes = new Map<string, PlacedNode>();
  const jobs: PlacedJob[] = [];
  let y = margin + lineHeight + 10;
  for (const job of graph.jobs) {
    const own = graph.nodes.filter((node) => node.job === job.name);
    if (own.length === 0) continue;
    const label = `job ${job.name}: ${job.details}`;
    const bottom = placeRows(rowsOf(graph, own, columns), y + jobTitle, (node, top) => {
      const { width, height } = sizes.get(node.id) ?? { width: 0, height: 0 };
      const column = columns.get(node.id) ?? 0;
      const x = (left[column] ?? 0) + ((widths[column] ?? 0) - width) / 2;
      nodes.set(node.id, { ...node, x, y: top, width, height });
      return height;
    });
    const used = own.map(({ id }) => columns.get(id) ?? 0);
    const [first, last] = [Math.min(...used), Math.max(...used)];
    const x = (left[first] ?? 0) - jobPadding;
    const content = (left[last] ?? 0) + (widths[last] ?? 0) - x + jobPadding;
    jobs.push({ label, x, y, width: Math.max(content, textWidth(label) + 2 * padding), height: bottom - y });
    y = bottom + jobGap;
  }
  const width = Math.max(textWidth(graph.title) * 1.3, ...jobs.map((job) => job.x + job.width)) + margin;
  const nextColumn = (x: number) => left.find((start) => start >= x) ?? x;
  return { width, height: y - jobGap + margin, jobs, nodes, nextColumn };
}

/** The gap after each column, wide enough for the labels in it. */
function gapsOf(graph: Graph, columns: ReadonlyMap<string, number>, lastColumn: number): number[] {
  return Array.from({ length: lastColumn + 1 }, (_, column) => {
    const labels = graph.edges.filter(({ from, to }) => columns.get(from) === column && columns.get(to) !== column);
    return Math.max(gapX, ...labels.map(({ label }) => textWidth(label) + 50));
  });
}

function sizeOf({ name, details }: GraphNode): { width: number; height: number } {
  const width = Math.max(...[name, ...details].map(textWidth)) + 2 * padding;
  return { width, height: (1 + details.length) * lineHeight + padding };
}

/** Rows of a job's band: entities above, each column filled from the top; then its stores; then what they load. */
function rowsOf(graph: Graph, own: readonly GraphNode[], columns: ReadonlyMap<string, number>): GraphNode[][] {
  const entities: GraphNode[][] = [];
  for (const node of own.filter(isEntity)) {
    const column = columns.get(node.id);
    const crossed = (row: readonly GraphNode[]) => row.some((other) => columns.get(other.id) === column);
    const free = entities.find((row) => !crossed(row) && !isPassed(graph, row, node, columns));
    if (free === undefined) entities.push([node]);
    else free.push(node);
  }
  const stores = own.filter(({ kind }) => kind === 'store');
  const loaded = own.filter(({ kind }) => kind === 'ml-model' || kind === 'script');
  const below: GraphNode[][] = [];
  for (const node of [...stores, ...loaded]) {
    const column = columns.get(node.id);
    const free = below.find((row) => row.every((other) => columns.get(other.id) !== column));
    if (free === undefined) below.push([node]);
    else free.push(node);
  }
  return [...entities, ...below];
}

/** Whether a line between two boxes of a row would run through `node`, or one of `node`'s through a box of the row. */
function isPassed(
  graph: Graph,
  row: readonly GraphNode[],
  node: GraphNode,
  columns: ReadonlyMap<string, number>,
): boolean {
  const inRow = new Set([...row, node].map(({ id }) => id));
  return graph.edges.some(({ kind, from, to }) => {
    if ((kind !== 'after' && kind !== 'reads') || !inRow.has(from) || !inRow.has(to)) return false;
    const ends = [columns.get(from) ?? 0, columns.get(to) ?? 0];
    return [...row, node].some(({ id }) => {
      const column = columns.get(id) ?? 0;
      return column > Math.min(...ends) && column < Math.max(...ends);
    });
  });
}

function isEntity({ kind }: GraphNode): boolean {
  return kind === 'model' || kind === 'ensemble';
}

/** Places row after row from `top`, and returns where the band ends. */
function placeRows(
  rows: readonly (readonly GraphNode[])[],
  top: number,
  place: (node: GraphNode, top: number) => number,
): number {
  let y = top + 6;
  for (const row of rows) {
    const heights = row.map((node) => place(node, y));
    y += Math.max(...heights) + gapY;
  }
  return y - gapY + jobPadding;
}

/** Column of every node: entities by the longest chain they wait at the end of, stores with the first that see them, ML models one on. */
function columnsOf(graph: Graph): Map<string, number> {
  const columns = new Map<string, number>();
  const orders = graph.edges.filter(({ kind }) => kind === 'after' || kind === 'reads');
  const waits = new Map<string, GraphEdge[]>();
  for (const edge of orders) waits.set(edge.to, [...(waits.get(edge.to) ?? []), edge]);
  const columnOf = (id: string, path: ReadonlySet<string>): number => {
    const known = columns.get(id);
    if (known !== undefined) return known;
    // Entities may read each other's keys in a circle: that is no order.
    const before = (waits.get(id) ?? []).filter(({ from }) => from !== id && !path.has(from));
    const column = Math.max(0, ...before.map(({ from }) => columnOf(from, new Set([...path, id])) + 1));
    if (path.size === 0) columns.set(id, column);
    return column;
  };
  for (const node of graph.nodes.filter(isEntity)) columnOf(node.id, new Set());
  for (const { id } of graph.nodes.filter(({ kind }) => kind === 'store')) {
    const users = graph.edges.filter(({ kind, from }) => kind === 'sees' && from === id);
    columns.set(id, Math.min(...users.map(({ to }) => columns.get(to) ?? 0), users.length === 0 ? 0 : Infinity));
  }
  for (const { kind, from, to } of graph.edges) {
    if (kind === 'loads') columns.set(to, (columns.get(from) ?? 0) + 1);
  }
  return columns;
}
