// Staging and running many members beside the bare file system, SmartSim and xargs, as ratios with their bars. Both sides of a ratio run
// in turn. After `npm run build`; Python 3.9 to 3.11 for SmartSim, which is installed on first use.
// usage: node bench/runtime.mjs [quick] [staging] [smartsim] [packed] [rerun] [overhead]
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Stager } from '../dist/runtime/launch/stage.js';
import { median, report, secondsOf } from './measure.mjs';
import { compileSweep, scratchFolder, template, usageOf } from './runtime-parts.mjs';
import { smartsimPython, smartsimSeconds } from './runtime-smartsim.mjs';

const words = process.argv.slice(2);
const quick = words.includes('quick');
const asked = words.filter((word) => word !== 'quick');
const wanted = (/** @type {string} */ part) => asked.length === 0 || asked.includes(part);
const rounds = quick ? 3 : 5;
// Nothing is removed before the end: ext4 makes new files slowly for seconds after many were deleted.
const scratch = scratchFolder();

const perSecond = (/** @type {number} */ count, /** @type {readonly number[]} */ seconds) =>
  `${Math.round(count / median(seconds))}/s`;
const ratioOf = (/** @type {readonly number[]} */ above, /** @type {readonly number[]} */ below) =>
  median(above.map((value, index) => value / /** @type {number} */ (below[index])));

/** Parameters of a member: two tags' values. @param {number} index */
const paramsOf = (index) => ({ REYNOLDS: 100 + index, LID: 0.1 });

/**
 * Stages members as `launch` does.
 * @param {string} folder
 * @param {number} from
 * @param {number} to
 * @returns {number} seconds
 */
function stage(folder, from, to) {
  const start = performance.now();
  const stager = new Stager(folder, entity);
  for (let index = from; index < to; index++) {
    stager.stage(join(folder, 'run/sweep', `sweep_${index}`), paramsOf(index));
  }
  return (performance.now() - start) / 1000;
}

/** A plan's entity, as far as staging looks at it. */
const entity = /** @type {import('../dist/ir/index.js').Entity} */ (
  /** @type {unknown} */ ({
    name: 'sweep',
    members: {
      strategy: 'all-perm',
      axes: [
        { name: 'REYNOLDS', values: [] },
        { name: 'LID', values: [] },
      ],
    },
    files: [{ kind: 'configure', artifact: 'input.in', to: 'input.in', mode: 0o644, tag: ';' }],
  })
);

/** A folder with the template, as `compile` leaves one. @param {string} name */
function stagingFolder(name) {
  const folder = join(scratch, name);
  mkdirSync(join(folder, 'run/sweep'), { recursive: true });
  writeFileSync(join(folder, 'input.in'), template);
  return folder;
}

/**
 * Seconds for members' directories with files of these contents, written without more ado.
 * @param {string} folder
 * @param {number} from
 * @param {number} to
 * @param {Readonly<Record<string, Buffer>>} files
 */
function writeBare(folder, from, to, files) {
  const start = performance.now();
  for (let index = from; index < to; index++) {
    const directory = join(folder, `sweep_${index}`);
    mkdirSync(directory);
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(directory, name), bytes);
  }
  return (performance.now() - start) / 1000;
}

function staging() {
  const members = quick ? 2000 : 5000;
  const block = 100;
  /** @type {{ ours: number[], files: number[], one: number[] }} */
  const seconds = { ours: [], files: [], one: [] };
  for (let round = 0; round < rounds; round++) {
    const folder = stagingFolder(`staging-${round}`);
    const [files, one] = ['files', 'one'].map((name) => join(folder, name));
    for (const peer of [files, one]) mkdirSync(peer);
    // The bytes that a member gets, made before the clock starts.
    stage(folder, 0, 1);
    const [input, params] = ['input.in', 'params.json'].map((name) =>
      readFileSync(join(folder, 'run/sweep/sweep_0', name)),
    );
    const sums = { ours: 0, files: 0, one: 0 };
    for (let from = 1; from < members; from += block) {
      sums.ours += stage(folder, from, from + block);
      sums.files += writeBare(files, from, from + block, { 'input.in': input, 'params.json': params });
      sums.one += writeBare(one, from, from + block, { 'input.in': Buffer.concat([input, params]) });
    }
    for (const name of /** @type {const} */ (['ours', 'files', 'one'])) seconds[name].push(sums[name]);
  }
  for (const [what, peer, bar] of /** @type {const} */ ([
    ['mkdir and the same two files', seconds.files, '>= 0.6'],
    ['mkdir and their bytes in one file', seconds.one, ''],
  ])) {
    const detail = `${perSecond(members, seconds.ours)} : ${perSecond(members, peer)}`;
    report(`staging: rate beside ${what}`, ratioOf(peer, seconds.ours), bar, detail);
  }
}

async function besideSmartsim() {
  const python = smartsimPython();
  if ('missing' in python) {
    console.log(`smartsim: skipped, ${python.missing}`);
    return;
  }
  const members = quick ? 500 : 1000;
  const ours = [];
  const theirs = [];
  for (let round = 0; round < rounds; round++) {
    const folder = stagingFolder(`smartsim-${round}`);
    // Before and after: it is so short that a neighbour's load shows.
    const before = stage(folder, 0, members);
    theirs.push(await smartsimSeconds(python.python, join(folder, 'smartsim'), join(folder, 'input.in'), members));
    ours.push((before + stage(folder, members, 2 * members)) / 2);
  }
  report(
    `staging: rate beside SmartSim's generate, ${members} members`,
    ratioOf(theirs, ours),
    '>= 4',
    `${perSecond(members, ours)} : ${perSecond(members, theirs)}`,
  );
}

/** What xargs runs for a member: as much of it as a user would write by hand. */
const byHand = 'mkdir "sweep_$1" && cd "sweep_$1" && exec true "$1" >"sweep_$1.out" 2>"sweep_$1.err"';

/** Runs the job of a folder as if it were the first time. @param {string} folder */
function runAnew(folder) {
  if (existsSync(join(folder, 'run'))) renameSync(join(folder, 'run'), join(mkdtempSync(`${folder}-before-`), 'run'));
  return usageOf(['bash', 'jobs/sweep.sh'], folder);
}

async function packed() {
  const members = quick ? 2000 : 10_000;
  const folder = await compileSweep(scratch, members);
  /** @type {{ ours: import('./runtime-parts.mjs').Usage[], theirs: import('./runtime-parts.mjs').Usage[] }} */
  const runs = { ours: [], theirs: [] };
  for (let round = 0; round < rounds; round++) {
    runs.ours.push(await runAnew(folder));
    const peer = mkdtempSync(join(scratch, 'xargs-'));
    const shell = `seq 0 ${members - 1} | xargs -P2 -n1 sh -c '${byHand}' sh`;
    runs.theirs.push(await usageOf(['bash', '-c', shell], peer));
  }
  for (const [name, key] of /** @type {const} */ ([
    ['time', 'seconds'],
    ['CPU time', 'cpuSeconds'],
  ])) {
    const [own, theirs] = [runs.ours.map((run) => run[key]), runs.theirs.map((run) => run[key])];
    const detail = `${median(own).toFixed(2)} s : ${median(theirs).toFixed(2)} s`;
    report(
      `packed: ${name} beside xargs -P2, ${members} members`,
      ratioOf(own, theirs),
      key === 'seconds' ? '<= 1' : '',
      detail,
    );
  }
  const status = join(folder, 'run/status');
  const bytes = readdirSync(status).reduce((sum, name) => sum + statSync(join(status, name)).size, 0);
  report('packed: bytes of status files a member', bytes / members, '');
  report('packed: MiB of the launch', median(runs.ours.map(({ launchMebibytes }) => launchMebibytes ?? 0)), '');
}

/** A rerun that finds everything done, and what submit.sh asks for before it. */
async function rerun() {
  const members = 10_000;
  const folder = await compileSweep(scratch, members);
  if (!existsSync(join(folder, 'run'))) await runAnew(folder);
  const job = [];
  const why = [];
  for (let round = 0; round < rounds; round++) {
    job.push(await secondsOf('bash', ['jobs/sweep.sh'], { cwd: folder }));
    why.push(await secondsOf(process.execPath, ['runtime/simwright.mjs', 'why'], { cwd: folder }));
  }
  report('rerun: s of a job that changes nothing, 10,000 members', median(job), '<= 1');
  report('rerun: s to say so, 10,000 members', median(why), '<= 1');
}

/** Seconds for so many children of Node, two at a time. @param {number} count */
async function bareSpawns(count) {
  const start = performance.now();
  let next = 0;
  const worker = async () => {
    while (next++ < count) {
      await new Promise((resolve) => spawn('true', { stdio: 'ignore', detached: true }).once('exit', resolve));
    }
  };
  await Promise.all([worker(), worker()]);
  return (performance.now() - start) / 1000;
}

async function overhead() {
  const members = quick ? 500 : 2000;
  const folder = await compileSweep(scratch, members);
  const single = await compileSweep(scratch, 1);
  const ours = [];
  const bare = [];
  const one = [];
  const node = [];
  for (let round = 0; round < rounds; round++) {
    ours.push((await runAnew(folder)).seconds);
    bare.push(await bareSpawns(members));
    one.push((await runAnew(single)).seconds);
    node.push(await secondsOf(process.execPath, ['-e', '0']));
  }
  const each = (/** @type {readonly number[]} */ seconds) => `${((median(seconds) / members) * 1000).toFixed(2)} ms`;
  report(
    `overhead: a member's time beside a bare child of Node`,
    ratioOf(ours, bare),
    '',
    `${each(ours)} : ${each(bare)}`,
  );
  const detail = `${median(one).toFixed(2)} s : ${median(node).toFixed(2)} s`;
  report(`overhead: a job of one member beside a bare start of Node`, ratioOf(one, node), '', detail);
}

try {
  if (wanted('staging')) staging();
  if (wanted('smartsim')) await besideSmartsim();
  if (wanted('packed')) await packed();
  if (wanted('rerun')) await rerun();
  if (wanted('overhead')) await overhead();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
