import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { secondsOf } from './measure.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** An input file of 52 lines with two tags. */
export const template = Array.from({ length: 52 }, (_, line) => {
  if (line === 10) return '  reynolds = ;REYNOLDS;\n';
  if (line === 20) return '  lid = ;LID;\n';
  return `  parameter_${line} = ${line * 1.5}   ! what it means\n`;
}).join('');

/** A folder inside the project, so that 'simwright' resolves to it. */
export function scratchFolder() {
  mkdirSync(join(root, '.cache'), { recursive: true });
  return mkdtempSync(join(root, '.cache/bench-runtime-'));
}

/**
 * Compiles an ensemble of `true`, two at a time, for this machine.
 * @param {string} scratch
 * @param {number} members
 * @returns {Promise<string>} the folder
 */
export async function compileSweep(scratch, members) {
  const workflow = join(scratch, `sweep-${members}.ts`);
  writeFileSync(
    workflow,
    `import { command, experiment } from 'simwright';
export default experiment('bench')
  .ensemble('sweep', command('true', '{args}'))
    .params({ I: Array.from({ length: ${members} }, (_, index) => index) }, { asArgs: ['I'] })
    .batch({ maxConcurrent: 2 });
`,
  );
  const folder = join(scratch, `sweep-${members}`);
  const cli = ['dist/cli/main.js', 'compile', workflow, '--site', 'local', '--out', folder];
  await secondsOf(process.execPath, cli, { cwd: root });
  return folder;
}

/**
 * @typedef {object} Usage
 * @property {number} seconds
 * @property {number} cpuSeconds of the process and all its descendants
 * @property {number} [launchMebibytes] the most memory that `runtime launch` had
 */

/**
 * Runs a command to its end.
 * @param {readonly string[]} command
 * @param {string} cwd
 * @returns {Promise<Usage>}
 */
export async function usageOf(command, cwd) {
  const probes = mkdtempSync(join(cwd, '..', 'probes-'));
  const probe = join(probes, 'probe.cjs');
  writeFileSync(
    probe,
    `process.on('exit', () => require('fs').writeFileSync(__dirname + '/' + process.argv[2] + '.json', JSON.stringify(process.resourceUsage())));`,
  );
  const start = performance.now();
  const times = await new Promise((resolve, reject) => {
    const script = `TIMEFORMAT='%U %S'; time "$@" >/dev/null`;
    const env = { ...process.env, LC_ALL: 'C', NODE_OPTIONS: `--require=${probe}` };
    const child = spawn('bash', ['-c', script, 'bash', ...command], { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (bytes) => {
      said += bytes;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(said);
      else reject(new Error(`${command.join(' ')} ended with ${code}\n${said}`));
    });
  });
  const seconds = (performance.now() - start) / 1000;
  const [user = 0, system = 0] = String(times).trim().split(/\s+/).slice(-2).map(Number);
  const usage = { seconds, cpuSeconds: user + system };
  const launch = readdirSync(probes).includes('launch.json')
    ? { launchMebibytes: JSON.parse(readFileSync(join(probes, 'launch.json'), 'utf8')).maxRSS / 1024 }
    : {};
  rmSync(probes, { recursive: true, force: true });
  return { ...usage, ...launch };
}
