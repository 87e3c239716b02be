import type { Graph, GraphEdge, GraphNode } from './graph.js';

/** A graph in Graphviz's language. */
export function dot(graph: Graph): string {
  const lines = [
    `digraph ${quote(graph.title)} {`,
    '  rankdir=LR;',
    '  node [fontname="sans-serif", fontsize=11];',
    '  edge [fontname="sans-serif", fontsize=10];',
  ];
  graph.jobs.forEach((job, index) => {
    lines.push(`  subgraph cluster_${index} {`, `    label=${quote(`job ${job.name}: ${job.details}`)};`);
    for (const node of graph.nodes.filter((one) => one.job === job.name)) lines.push(`    ${box(node)}`);
    lines.push('  }');
  });
  for (const node of graph.nodes.filter((one) => graph.jobs.every(({ name }) => name !== one.job))) {
    lines.push(`  ${box(node)}`);
  }
  for (const edge of graph.edges) {
    if (edge.from !== edge.to) lines.push(`  ${quote(edge.from)} -> ${quote(edge.to)} [${styleOf(edge)}];`);
  }
  return `${[...lines, '}'].join('\n')}\n`;
}

const shapes: { readonly [Kind in GraphNode['kind']]: string } = {
  model: 'shape=box',
  ensemble: 'shape=box, peripheries=2',
  'ray-cluster': 'shape=octagon',
  store: 'shape=cylinder',
  'ml-model': 'shape=hexagon',
  script: 'shape=hexagon',
};

function box({ id, kind, name, details }: GraphNode): string {
  return `${quote(id)} [label=${quote([name, ...details].join('\n'))}, ${shapes[kind]}];`;
}

function styleOf({ kind, label }: GraphEdge): string {
  if (kind === 'after') return `label=${quote(label)}`;
  if (kind === 'reads') return `label=${quote(label || 'keys')}, style=dashed, constraint=false`;
  return `label=${quote(label)}, dir=none, color=gray`;
}

function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}
