import { describe, expect, it } from 'vitest';
import { dot } from '../../src/cli/graph/dot.js';
import { graphOf } from '../../src/cli/graph/graph.js';
import { layOut } from '../../src/cli/graph/layout.js';
import { mermaid } from '../../src/cli/graph/mermaid.js';
import { svg } from '../../src/cli/graph/svg.js';
import { samplePlan } from './sample-plan.js';

const graph = graphOf(samplePlan);

describe('graph of a plan', () => {
  it('has a box for each entity, store and ML model, in its job', () => {
    expect(graph.nodes.map(({ id, job }) => [id, job])).toEqual([
      ['entity:mesh', 'flow'],
      ['entity:sweep', 'flow'],
      ['entity:watch', 'flow'],
      ['entity:report', 'flow'],
      ['entity:pack', 'archive'],
      ['store:orchestrator', 'flow'],
      ['ml:surrogate@orchestrator', 'flow'],
    ]);
  });

  it('has a line for each .after, incoming entity, store, ML model and shared node; a member stands for its ensemble', () => {
    const lines = graph.edges.map(({ kind, from, to, label }) => `${kind} ${from} ${to} ${label}`.trim());
    expect(lines).toContain('after entity:sweep entity:watch key sweep_0.velocity');
    expect(lines).toContain('reads entity:sweep entity:watch sweep_0');
    expect(lines).toContain('reads entity:sweep entity:sweep');
    expect(lines).toContain('after entity:watch entity:report ended');
    expect(lines).toContain('sees store:orchestrator entity:sweep');
    expect(lines).toContain('loads store:orchestrator ml:surrogate@orchestrator');
    expect(lines).toContain('beside entity:sweep entity:watch same nodes');
  });
});

describe('formats', () => {
  it('Mermaid: a subgraph a job, quoted texts, no line from a box to itself', () => {
    const text = mermaid(graph);
    expect(text).toContain('subgraph j0["job flow: 2 nodes"]');
    expect(text).toContain('n1 -->|"key sweep_0.velocity"| n2');
    expect(text).toContain('n1 -.->|"sweep_0"| n2');
    expect(text).not.toMatch(/n1 -\.-> n1/);
  });

  it('DOT: a cluster a job, quoted title', () => {
    const text = dot(graph);
    expect(text).toContain('digraph "flow <&> \\"heat\\"" {');
    expect(text.match(/subgraph cluster_/g)).toHaveLength(2);
  });

  it('SVG: well-formed, everything named, every text escaped', () => {
    const text = svg(graph);
    expect(text).toContain('flow &#60;&#38;&#62; &#34;heat&#34;');
    for (const { name } of graph.nodes) expect(text).toContain(`>${name}</text>`);
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe('layout', () => {
  const { nodes, jobs, edges, width, height } = layOut(graph);
  const place = (id: string) => {
    const node = nodes.get(id);
    if (node === undefined) throw new Error(`no box for ${id}`);
    return node;
  };

  it('puts what waits to the right of what it waits for', () => {
    for (const { kind, from, to } of graph.edges) {
      if (kind !== 'after') continue;
      expect(place(to).x).toBeGreaterThan(place(from).x + place(from).width);
    }
  });

  it('has no two boxes over each other, all of them inside their job, and jobs inside the picture', () => {
    const boxes = [...nodes.values()];
    for (const a of boxes) {
      for (const b of boxes) {
        if (a === b) continue;
        const apart = a.x + a.width < b.x || b.x + b.width < a.x || a.y + a.height < b.y || b.y + b.height < a.y;
        expect(apart, `${a.id} and ${b.id}`).toBe(true);
      }
      const job = jobs.find(({ label }) => label.startsWith(`job ${a.job}:`));
      expect(job).toBeDefined();
      if (job === undefined) continue;
      expect(a.x).toBeGreaterThan(job.x);
      expect(a.y).toBeGreaterThan(job.y);
      expect(a.x + a.width).toBeLessThan(job.x + job.width);
      expect(a.y + a.height).toBeLessThan(job.y + job.height);
    }
    for (const job of jobs) {
      expect(job.x + job.width).toBeLessThan(width);
      expect(job.y + job.height).toBeLessThan(height);
    }
  });

  it('draws no line through a box that it does not belong to', () => {
    const inside = (box: { x: number; y: number; width: number; height: number }, point: { x: number; y: number }) =>
      point.x > box.x && point.x < box.x + box.width && point.y > box.y && point.y < box.y + box.height;
    expect(edges.length).toBeGreaterThan(5);
    for (const { from, to, points } of edges) {
      expect(points.length).toBeGreaterThan(1);
      const others = [...nodes.values()].filter(({ id }) => id !== from && id !== to);
      for (const box of others) {
        expect(
          points.filter((point) => inside(box, point)),
          `${from} to ${to} through ${box.id}`,
        ).toEqual([]);
      }
    }
  });

  it('ends where entities read each other in a circle', () => {
    const circle = {
      ...samplePlan,
      entities: samplePlan.entities.map((entity) =>
        entity.name === 'mesh' ? { ...entity, incoming: ['report'] } : entity,
      ),
    };
    expect(svg(graphOf(circle))).toContain('</svg>');
  });
});
