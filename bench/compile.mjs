// Compiling ensembles of 10, 10,000 and 1,000,000 members, and the start of each command: wall time, peak memory, size of plan.json.
// usage: node bench/compile.mjs [RUNS]
import { cpSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { line, median } from './measure.mjs';
import { measureIn, scratchFolder, verdict } from './measure-command.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const runs = Number(process.argv[2] ?? 5);
const scratch = scratchFolder('compile');
const measure = measureIn(scratch);

/** @typedef {import('./measure-command.mjs').Usage} Usage */

/**
 * Ten assignments, each run as often as it takes to make that many members: what is written is the same in all.
 * @param {number} members
 */
function workflow(members) {
  return `import { command, experiment } from 'simwright';
export default experiment('bench')
  .ensemble('sweep', command('./solve').tasks(4).walltime('00:10:00'))
    .params({ P: Array.from({ length: 10 }, (_, i) => i / 10) }, { asArgs: ['P'] })
    .replicas(${members / 10})
    .attach({ copy: 'solve', configure: 'in.txt' })
    .batch({ nodes: 4, walltime: '12:00:00', mode: 'array', maxConcurrent: 50 })
  .model('analysis', command('echo', 'done').walltime('00:10:00')).after('sweep');
`;
}

const sizes = [10, 10_000, 1_000_000];
try {
  writeFileSync(join(scratch, 'solve'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(scratch, 'in.txt'), 'p = ;P;\n');
  for (const size of sizes) writeFileSync(join(scratch, `sweep${size}.ts`), workflow(size));
  cpSync(join(root, 'examples/cavity'), join(scratch, 'cavity'), { recursive: true });

  /** @type {Map<number, Usage[]>} */
  const compiled = new Map(sizes.map((size) => [size, []]));
  // In turns, so that what else the machine does falls on all alike.
  for (let run = 0; run < runs; run++) {
    for (const size of sizes) {
      const out = join(scratch, `out${size}`);
      rmSync(out, { recursive: true, force: true });
      compiled.get(size)?.push(await measure(['compile', `sweep${size}.ts`, '--site', 'slurm', '--out', out]));
    }
  }
  const of = (/** @type {number} */ size) => compiled.get(size) ?? [];
  const planBytes = (/** @type {number} */ size) => statSync(join(scratch, `out${size}`, 'plan.json')).size;
  for (const size of sizes) {
    const name = `compile, ${size.toLocaleString('en')} members`;
    console.log(
      line(
        name,
        of(size).map(({ seconds }) => seconds),
        's',
      ),
    );
    console.log(
      line(
        `  peak memory`,
        of(size).map(({ mebibytes }) => mebibytes),
        'MiB',
      ),
    );
    console.log(`${'  plan.json'.padEnd(44)} ${String(planBytes(size)).padStart(9)} bytes`);
  }
  const ratio = (/** @type {number} */ size, /** @type {keyof Usage} */ what) =>
    median(of(size).map((one, run) => one[what] / (of(10)[run]?.[what] ?? Number.NaN)));
  verdict('time, 10,000 to 10 members', ratio(10_000, 'seconds'), 1.3, '×');
  verdict('time, 1,000,000 to 10 members', ratio(1_000_000, 'seconds'), 1.3, '×');
  // On a machine that does other things as well, time says less than this.
  verdict('CPU time, 1,000,000 to 10 members', ratio(1_000_000, 'cpuSeconds'), 1.3, '×');
  verdict('peak memory, 1,000,000 to 10 members', ratio(1_000_000, 'mebibytes'), 1.3, '×');
  verdict('plan.json, 1,000,000 to 10 members', planBytes(1_000_000) / planBytes(10), 1.01, '×');

  const commands = [
    ['--version'],
    ['check', 'cavity/workflow.ts'],
    ['check', 'cavity/workflow.ts', '--no-types'],
    ['compile', 'cavity/workflow.ts', '--out', 'cavity.out'],
    ['diff', 'cavity/workflow.ts', '--out', 'cavity.out'],
    ['preview', 'cavity/workflow.ts'],
    ['members', 'sweep1000000.ts', 'sweep', '--range', '999980-999999'],
    ['graph', 'cavity/workflow.ts', '--format', 'svg'],
    ['site', 'list'],
    ['explain', 'TMPL1001'],
  ];
  /** @type {Map<string, number>} */
  const starts = new Map();
  for (const args of commands) {
    const times = [];
    for (let run = 0; run < runs; run++) times.push((await measure(args)).seconds);
    const name = args.filter((word) => !/[/\d]|--out|cavity/.test(word)).join(' ');
    console.log(line(`start: ${name}`, times, 's'));
    starts.set(name, median(times));
  }
  verdict('compile of a small workflow', starts.get('compile') ?? Number.NaN, 1, 's');
  verdict('check with types', starts.get('check') ?? Number.NaN, 4, 's');
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
