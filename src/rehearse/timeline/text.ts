import type { RehearsalRecord } from '../record.js';
import { type Activity, activityAt, percent, runTitle, useOf } from './share.js';

const marks: Readonly<Record<Activity, string>> = { free: ' ', waiting: '.', held: '-', store: 'o', running: '#' };

/** Rows of the picture that are shown, at most. */
const mostRows = 60;

/** A rehearsal as text: a row for each job and node, then the shares of idle CPUs and GPUs. */
export function timelineText(record: RehearsalRecord, columns = 100): string {
  const rows = record.runs.flatMap((run) => {
    const nodes = run.nodes.length === 0 ? ['–'] : run.nodes.map(({ name }) => name);
    return nodes.map((node, place) => ({ run, node, title: place === 0 ? runTitle(run) : '' }));
  });
  const titles = Math.max(3, ...rows.map(({ title }) => title.length));
  const names = Math.max(4, ...rows.map(({ node }) => node.length));
  const width = Math.max(20, columns - titles - names - 4);
  const step = record.seconds / width;
  const lines = [`${'job'.padEnd(titles)}  ${'node'.padEnd(names)}  ${scale(record.seconds, width)}`];
  for (const { run, node, title } of rows.slice(0, mostRows)) {
    const bar = Array.from({ length: width }, (_, at) => marks[activityAt(record, run, node, (at + 0.5) * step)]).join(
      '',
    );
    lines.push(`${title.padEnd(titles)}  ${node.padEnd(names)}  ${bar}`.trimEnd());
  }
  if (rows.length > mostRows) lines.push(`… and ${rows.length - mostRows} rows more, in timeline.json`);
  lines.push(
    '',
    '. waits for its nodes   - has them (staging, loading, tearing down)   o store only   # application runs',
    '',
  );
  return [...lines, ...useLines(record)].join('\n');
}

function scale(seconds: number, width: number): string {
  const marksOfScale = [0, 0.25, 0.5, 0.75].map((part) => ({
    at: Math.floor(part * width),
    text: `${(part * seconds).toFixed(1)}s`,
  }));
  return marksOfScale.reduce((line, { at, text }) => line.padEnd(at) + text, '');
}

function useLines(record: RehearsalRecord): string[] {
  const { nodes, share } = useOf(record);
  const used = nodes.filter(({ heldSeconds }) => heldSeconds > 0);
  const hasGpus = used.some(({ idleGpus }) => idleGpus !== undefined);
  const names = Math.max(4, ...used.map(({ node }) => node.length));
  const lines = used
    .slice(0, mostRows)
    .map(({ node, heldSeconds, workSeconds, idleCpus, idleGpus }) =>
      [
        node.padEnd(names),
        `${heldSeconds.toFixed(1)}s`.padStart(8),
        percent(heldSeconds === 0 ? undefined : workSeconds / heldSeconds).padStart(8),
        percent(idleCpus).padStart(10),
        ...(hasGpus ? [percent(idleGpus).padStart(10)] : []),
      ].join('  '),
    );
  const heading = `${'node'.padEnd(names)}  ${'held'.padStart(8)}  ${'works'.padStart(8)}  ${'idle CPUs'.padStart(10)}`;
  return [
    hasGpus ? `${heading}  ${'idle GPUs'.padStart(10)}` : heading,
    ...lines,
    '',
    `node-hours that do work: ${percent(share)}`,
  ];
}
