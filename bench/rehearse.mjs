// The flagship rehearsed for Slurm, PBS and LSF, against its run on this machine: seconds as a ratio, and the same table.
// usage: node bench/rehearse.mjs [RUNS]
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { line, median, report, secondsOf } from './measure.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const workflow = 'examples/cavity/workflow.ts';
const sites = ['slurm', 'pbs', 'lsf'];
const runs = Number(process.argv[2] ?? 1);
const scratch = mkdtempSync(join(tmpdir(), 'bench-rehearse-'));

/** Seconds of a command. @param {readonly string[]} words */
const timed = (...words) =>
  secondsOf(process.execPath, ['dist/cli/main.js', ...words], { cwd: root, stdio: ['ignore', 'ignore', 'ignore'] });

/** Table that the analysis of a folder has printed. @param {string} folder */
const tableOf = (folder) => readFileSync(join(folder, 'run/analysis/analysis.out'), 'utf8');

try {
  /** @type {Record<string, number[]>} */
  const seconds = { local: [], ...Object.fromEntries(sites.map((site) => [site, []])) };
  for (const site of sites) await timed('compile', workflow, '--site', site, '--out', join(scratch, site));
  let isAlike = true;
  for (let run = 0; run < runs; run++) {
    seconds.local.push(await timed('run', workflow, '--fresh', '--out', join(scratch, 'local')));
    for (const site of sites) {
      seconds[site].push(await timed('rehearse', join(scratch, site)));
      isAlike &&= tableOf(join(scratch, site, 'rehearsal')) === tableOf(join(scratch, 'local'));
    }
  }
  console.log(line('simwright run (compile, store, six, analysis)', seconds.local, 's'));
  for (const site of sites) {
    const ratios = seconds[site].map((value, index) => value / seconds.local[index]);
    report(`rehearsed for ${site}, over the run`, median(ratios), '<= 1.5', `${median(seconds[site]).toFixed(1)} s`);
  }
  console.log(isAlike ? 'the same table everywhere' : 'tables DIFFER');
  if (!isAlike) process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
