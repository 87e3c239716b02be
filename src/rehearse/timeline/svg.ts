import { counted } from '../../diagnostics/index.js';
import type { RehearsalRecord, RunRecord, StepRecord } from '../record.js';
import { idleIn, percent, runTitle, useOf } from './share.js';

const row = 22;
const lane = 14;
const left = 190;
const width = 860;
const right = 150;
const top = 54;
const line = 16;

/** Width of a letter of a launch's name. */
const letter = 7;

const colours = {
  waiting: '#e3e3e3',
  held: '#c8d3e0',
  store: '#8fb8a8',
  application: '#3b6ea5',
  failed: '#b5443c',
  text: '#222',
};

/** A rehearsal as a picture: a row for each job and node, with its launches as bars and what was idle at its end, then what was found. */
export function timelineSvg(record: RehearsalRecord): string {
  const rows = rowsOf(record);
  const places = placeRows(rows);
  const found = record.findings.map(({ where, what }) => short(`${where}: ${what}`.replace(/\s+/g, ' '), 180));
  const height = top + places.total + 60 + found.length * line;
  const { share, nodes } = useOf(record);
  const scale = (seconds: number) => left + (seconds / Math.max(record.seconds, 0.001)) * width;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${left + width + right}" height="${height}" viewBox="0 0 ${left + width + right} ${height}" font-family="sans-serif" font-size="11" fill="${colours.text}">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    `<text x="12" y="20" font-size="14" font-weight="bold">${escapeXml(record.experiment)}: rehearsal for ${escapeXml(record.scheduler)}</text>`,
    `<text x="${left + width + 12}" y="${top - 10}">idle CPUs${nodes.some(({ idleGpus }) => idleGpus !== undefined) ? ' · GPUs' : ''}</text>`,
    ...ticks(record.seconds).flatMap((at) => [
      `<line x1="${scale(at)}" y1="${top - 4}" x2="${scale(at)}" y2="${top + places.total}" stroke="#ddd"/>`,
      `<text x="${scale(at)}" y="${top - 10}" text-anchor="middle">${at} s</text>`,
    ]),
  ];
  for (const [number, { run, node, isFirst, steps, lanes }] of rows.entries()) {
    const y = places.tops[number] ?? 0;
    const tall = Math.max(1, lanes) * lane + (row - lane);
    if (isFirst) {
      parts.push(`<line x1="12" y1="${y - 1}" x2="${left + width}" y2="${y - 1}" stroke="#eee"/>`);
      parts.push(`<text x="12" y="${y + 14}">${escapeXml(short(runTitle(run), 17))}</text>`);
    }
    parts.push(`<text x="${left - 10}" y="${y + 14}" text-anchor="end">${escapeXml(short(node, 11))}</text>`);
    const start = run.startedAt ?? run.endedAt ?? record.seconds;
    parts.push(bar(scale(run.submittedAt), scale(start), y + 3, tall - 6, colours.waiting, `${runTitle(run)} waits`));
    if (run.startedAt !== undefined) {
      const end = run.endedAt ?? record.seconds;
      parts.push(
        bar(scale(run.startedAt), scale(end), y + 3, tall - 6, colours.held, `${runTitle(run)}: ${run.state}`),
      );
    }
    for (const { step, at } of steps) {
      const [from, to] = [step.startedAt ?? 0, step.endedAt ?? record.seconds];
      const colour = (step.exitCode ?? 0) !== 0 && step.kind === 'application' ? colours.failed : colours[step.kind];
      const own = step.nodes.find(({ name }) => name === node);
      const what = `${step.name}: ${counted(own?.ranks ?? 0, 'rank')}, ${counted(own?.cpus ?? 0, 'CPU')}, ${counted(own?.gpus ?? 0, 'GPU')}, ${(to - from).toFixed(2)} s`;
      parts.push(bar(scale(from), scale(to), y + 4 + at * lane, lane - 1, colour, what));
      const needs = letter * step.name.length;
      const next = Math.min(
        left + width,
        ...steps
          .filter((other) => other.at === at)
          .flatMap((other) => {
            const begins = other.step.startedAt ?? 0;
            return begins >= to ? [scale(begins)] : [];
          }),
      );
      // Beside its bar where it has no room inside.
      const [x, fill] = scale(to) - scale(from) > needs ? [scale(from), '#fff'] : [scale(to), colours.text];
      if (fill === '#fff' || scale(to) + needs < next) {
        const text = `<text x="${(x + 4).toFixed(1)}" y="${y + 14 + at * lane}" fill="${fill}" font-size="10">`;
        parts.push(`${text}${escapeXml(step.name)}</text>`);
      }
    }
    const use = idleIn(record, run, node);
    if (run.startedAt !== undefined) {
      const gpus = use.idleGpus === undefined ? '' : ` · ${percent(use.idleGpus)}`;
      parts.push(`<text x="${left + width + 12}" y="${y + 14}">${percent(use.idleCpus)}${gpus}</text>`);
    }
  }
  const legend = [
    ['waits', colours.waiting],
    ['has nodes: staging, loading, tearing down', colours.held],
    ['store', colours.store],
    ['application', colours.application],
    ['failed', colours.failed],
  ] as const;
  const below = top + places.total + 26;
  let x = left;
  for (const [text, colour] of legend) {
    parts.push(`<rect x="${x}" y="${below}" width="12" height="12" fill="${colour}"/>`);
    parts.push(`<text x="${x + 17}" y="${below + 10}">${text}</text>`);
    x += 36 + text.length * 6;
  }
  parts.push(`<text x="12" y="${below + 10}">does work: ${percent(share)}</text>`);
  for (const [number, text] of found.entries()) {
    parts.push(`<text x="12" y="${below + 34 + number * line}" fill="${colours.failed}">${escapeXml(text)}</text>`);
  }
  parts.push('</svg>', '');
  return parts.join('\n');
}

interface Row {
  readonly run: RunRecord;
  readonly node: string;
  readonly isFirst: boolean;
  readonly steps: readonly { readonly step: StepRecord; readonly at: number }[];
  readonly lanes: number;
}

function rowsOf({ runs, steps, seconds }: RehearsalRecord): Row[] {
  return runs.flatMap((run) => {
    const nodes = run.nodes.length === 0 ? ['–'] : run.nodes.map(({ name }) => name);
    return nodes.map((node, place) => {
      const own = steps.filter(
        (step) =>
          step.id === run.id &&
          step.index === run.index &&
          step.startedAt !== undefined &&
          step.nodes.some(({ name }) => name === node),
      );
      // Launches that run side by side lie one below the other.
      const ends: number[] = [];
      const placed = own.map((step) => {
        const free = ends.findIndex((end) => end <= (step.startedAt ?? 0));
        const at = free === -1 ? ends.length : free;
        ends[at] = step.endedAt ?? seconds;
        return { step, at };
      });
      return { run, node, isFirst: place === 0, steps: placed, lanes: ends.length };
    });
  });
}

function placeRows(rows: readonly Row[]): { readonly tops: readonly number[]; readonly total: number } {
  const tops: number[] = [];
  let y = top;
  for (const { lanes } of rows) {
    tops.push(y);
    y += Math.max(1, lanes) * lane + (row - lane);
  }
  return { tops, total: y - top };
}

function bar(from: number, to: number, y: number, height: number, colour: string, title: string): string {
  if (to <= from) return '';
  return `<rect x="${from.toFixed(1)}" y="${y}" width="${Math.max(1, to - from).toFixed(1)}" height="${height}" fill="${colour}"><title>${escapeXml(title)}</title></rect>`;
}

function ticks(seconds: number): number[] {
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600];
  const step = steps.find((one) => seconds / one <= 10) ?? 7200;
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, one) => Number((one * step).toFixed(1)));
}

function short(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (one) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[one] ?? one);
}
