import { escapeXml } from '../graph/svg.js';
import { freeOf, keyOf, nodesOf } from './picture.js';
import type { JobPlacement, NodeRange, Stage } from './placement.js';

const barWidth = 360;
const rowHeight = 22;
const labelWidth = 90;
const gpuWidth = 180;
const gap = 20;
const width = labelWidth + barWidth + gap + gpuWidth + 2 * gap;

/** Colours that are told apart, also by those who do not see red and green as different. */
const colours = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#f0e442', '#666666'];

/** The placement of all jobs as a picture of its own, without any program to draw it. */
export function placementSvg(jobs: readonly JobPlacement[]): string {
  const parts: string[] = [];
  let y = gap;
  const text = (x: number, words: string, weight = 'normal') =>
    parts.push(`<text x="${x}" y="${y + 15}" font-weight="${weight}">${escapeXml(words)}</text>`);
  for (const { name, stages } of jobs) {
    const fills = fillsOf(stages);
    text(gap, `Job ${name}`, 'bold');
    y += rowHeight;
    for (const [index, stage] of stages.entries()) {
      if (stages.length > 1) {
        text(gap, index === 0 ? 'at first' : 'after the end of what comes before');
        y += rowHeight;
      }
      for (const range of stage.nodes) {
        text(gap, `node ${nodesOf(range)}`);
        parts.push(...bar(range, 'cpus', gap + labelWidth, y, barWidth, fills));
        if (range.gpusPerNode > 0) {
          parts.push(...bar(range, 'gpus', gap + labelWidth + barWidth + gap, y, gpuWidth, fills));
        }
        y += rowHeight + 4;
      }
    }
    for (const [key, fill] of fills) {
      parts.push(`<rect x="${gap}" y="${y + 4}" width="12" height="12" fill="${fill}"/>`);
      text(gap + 20, key);
      y += rowHeight;
    }
    y += gap;
  }
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}"`,
    '  font-family="Helvetica, Arial, sans-serif" font-size="12" fill="#1f2933">',
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    ...parts,
    '</svg>',
  ].join('\n')}\n`;
}

/** A node's CPUs or GPUs: a frame, and in it the share of each that runs there, which its title tells. */
function bar(
  range: NodeRange,
  amount: 'cpus' | 'gpus',
  x: number,
  y: number,
  full: number,
  fills: ReadonlyMap<string, string>,
): string[] {
  const total = range.running.reduce((sum, one) => sum + one[amount], freeOf(range)[amount] ?? 0);
  let left = x;
  const shares = range.running.flatMap((one) => {
    const size = total === 0 ? 0 : (one[amount] / total) * full;
    const title = `${keyOf(one)}: ${one[amount]} ${amount === 'cpus' ? 'CPUs' : 'GPUs'}`;
    const rect = `<rect x="${left.toFixed(1)}" y="${y}" width="${size.toFixed(1)}" height="${rowHeight}" fill="${fills.get(keyOf(one))}"><title>${escapeXml(title)}</title></rect>`;
    left += size;
    return size === 0 ? [] : [rect];
  });
  return [...shares, `<rect x="${x}" y="${y}" width="${full}" height="${rowHeight}" fill="none" stroke="#9fb3c8"/>`];
}

function fillsOf(stages: readonly Stage[]): ReadonlyMap<string, string> {
  const keys = [...new Set(stages.flatMap(({ nodes }) => nodes.flatMap(({ running }) => running.map(keyOf))))];
  return new Map(keys.map((key, index) => [key, colours[index % colours.length] as string]));
}
