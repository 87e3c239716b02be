import type { Graph, GraphEdge, GraphNode } from './graph.js';

/** A graph as Mermaid's flowchart, which GitHub and GitLab show in place. */
export function mermaid(graph: Graph): string {
  const ids = new Map(graph.nodes.map(({ id }, index) => [id, `n${index}`]));
  const lines = ['flowchart LR'];
  graph.jobs.forEach((job, index) => {
    lines.push(`  subgraph j${index}[${quote(`job ${job.name}: ${job.details}`)}]`);
    for (const node of graph.nodes.filter((one) => one.job === job.name)) lines.push(`    ${box(node, ids)}`);
    lines.push('  end');
  });
  for (const node of graph.nodes.filter((one) => graph.jobs.every(({ name }) => name !== one.job))) {
    lines.push(`  ${box(node, ids)}`);
  }
  for (const edge of graph.edges) {
    const [from, to] = [ids.get(edge.from), ids.get(edge.to)];
    if (from !== undefined && to !== undefined && from !== to) lines.push(`  ${line(edge, from, to)}`);
  }
  return `${lines.join('\n')}\n`;
}

const shapes: { readonly [Kind in GraphNode['kind']]: readonly [string, string] } = {
  model: ['[', ']'],
  ensemble: ['[[', ']]'],
  'ray-cluster': ['([', '])'],
  store: ['[(', ')]'],
  'ml-model': ['{{', '}}'],
  script: ['{{', '}}'],
};

function box({ id, kind, name, details }: GraphNode, ids: ReadonlyMap<string, string>): string {
  const [open, close] = shapes[kind];
  return `${ids.get(id)}${open}${quote([name, ...details].join('\n'))}${close}`;
}

function line({ kind, label }: GraphEdge, from: string, to: string): string {
  const text = kind === 'reads' ? label || 'keys' : label;
  const shown = text === '' ? '' : `|${quote(text)}|`;
  if (kind === 'after') return `${from} -->${shown} ${to}`;
  if (kind === 'reads') return `${from} -.->${shown} ${to}`;
  return `${from} ---${shown} ${to}`;
}

/** Mermaid reads entities inside quotes, and nothing else. */
function quote(text: string): string {
  const escaped = text.replace(/[&"<>#;`]/g, (character) => `#${character.charCodeAt(0)};`).replaceAll('\n', '<br>');
  return `"${escaped}"`;
}
