import { type EdgeLabel, type GraphLabel, graphlib, layout, type NodeLabel } from '@dagrejs/dagre';
import type { Graph, GraphEdge, GraphNode } from './graph.js';

/** A point of the picture, in pixels. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A box: its upper left corner and its size, in pixels. */
export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

/** A node in its place. */
export type PlacedNode = GraphNode & Box;

/** A line in its place: the points that it runs through, and the middle of its label. */
export interface PlacedEdge extends GraphEdge {
  readonly points: readonly Point[];
  readonly middle: Point;
}

/** A graph with every box and line in its place. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly jobs: readonly (Box & { readonly label: string })[];
  readonly nodes: ReadonlyMap<string, PlacedNode>;
  readonly edges: readonly PlacedEdge[];
}

export const fontSize = 12;
export const lineHeight = 16;
const padding = 14;
const margin = 20;
/** Height of the picture's title, above all boxes. */
const titleHeight = 40;

/** Width of a text in the font of the picture, in pixels, rounded up: no font is at hand to measure it. */
export function textWidth(text: string): number {
  return Math.ceil(text.length * fontSize * 0.6);
}

/** Boxes in layers, from left to right: a node stands to the right of what it waits for. Each job is a box around its nodes. */
export function layOut(graph: Graph): Layout {
  const drawing = new graphlib.Graph<GraphLabel, NodeLabel, EdgeLabel>({
    compound: true,
    multigraph: true,
  });
  drawing.setGraph({ rankdir: 'LR', ranksep: 45, nodesep: 26, marginx: margin, marginy: margin });
  const jobs = graph.jobs.filter((job) => graph.nodes.some((node) => node.job === job.name));
  for (const job of jobs) drawing.setNode(`job:${job.name}`, { width: 0, height: 0 });
  for (const node of graph.nodes) {
    drawing.setNode(node.id, sizeOf(node));
    if (jobs.some(({ name }) => name === node.job)) drawing.setParent(node.id, `job:${node.job}`);
  }
  // A line from a box to itself says no order.
  const edges = graph.edges.filter(({ from, to }) => from !== to);
  edges.forEach(({ from, to, kind, label }, index) => {
    // An entity is never drawn to the left of one that it waits for. Other lines turn around instead.
    const weight = kind === 'after' ? 1000 : 1;
    drawing.setEdge(
      from,
      to,
      { label, weight, width: textWidth(label), height: lineHeight, labelpos: 'c' },
      `${index}`,
    );
  });
  layout(drawing);
  const boxOf = (id: string): Box => {
    const { x = 0, y = 0, width, height } = drawing.node(id);
    return { x: x - width / 2, y: y - height / 2 + titleHeight, width, height };
  };
  const placedJobs = jobs.map((job) => jobBox(`job ${job.name}: ${job.details}`, boxOf(`job:${job.name}`)));
  const { width = 0, height = 0 } = drawing.graph();
  return {
    width: Math.max(textWidth(graph.title) * 1.3, width, ...placedJobs.map((box) => box.x + box.width)) + margin,
    height: height + titleHeight,
    jobs: placedJobs,
    nodes: new Map(graph.nodes.map((node) => [node.id, { ...node, ...boxOf(node.id) }])),
    edges: edges.map((edge, index) => {
      const { points = [], x = 0, y = 0 } = drawing.edge(edge.from, edge.to, `${index}`);
      const lowered = (point: Point): Point => ({ x: point.x, y: point.y + titleHeight });
      return { ...edge, points: points.map(lowered), middle: lowered({ x, y }) };
    }),
  };
}

/** A job's box, wide enough for its title. */
function jobBox(label: string, { x, y, width, height }: Box): Box & { readonly label: string } {
  return { label, x, y: y - 10, width: Math.max(width, textWidth(label) + 2 * padding), height: height + 10 };
}

function sizeOf({ name, details }: GraphNode): { width: number; height: number } {
  const width = Math.max(...[name, ...details].map(textWidth)) + 2 * padding;
  return { width, height: (1 + details.length) * lineHeight + padding };
}
