import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const version = '0.8.0';
const script = fileURLToPath(new URL('runtime-smartsim.py', import.meta.url));

/** Pythons that SmartSim can be installed for, as far as they can be found: on the PATH, and those of pyenv. */
function candidates() {
  const versions = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions');
  const pyenv = existsSync(versions) ? readdirSync(versions).map((name) => join(versions, name, 'bin/python')) : [];
  return ['python3.11', 'python3.10', 'python3.9', 'python3', ...pyenv];
}

/** @param {string} python */
function isSuitable(python) {
  try {
    const check = 'import sys, venv; sys.exit(not (3, 9) <= sys.version_info[:2] <= (3, 11))';
    execFileSync(python, ['-c', check], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/**
 * A Python with SmartSim: `$SIMWRIGHT_SMARTSIM_VENV`, or a virtual environment kept under node_modules/.cache, made on first use.
 * @returns {{ python: string } | { missing: string }} a text says why there is none
 */
export function smartsimPython() {
  const given = process.env['SIMWRIGHT_SMARTSIM_VENV'];
  const folder = given ?? fileURLToPath(new URL('../node_modules/.cache/simwright-smartsim', import.meta.url));
  const python = join(folder, 'bin/python');
  if (given !== undefined || existsSync(join(folder, 'complete'))) return { python };
  const base = candidates().find(isSuitable);
  if (base === undefined) return { missing: 'there is no Python 3.9, 3.10 or 3.11 with venv' };
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, '..'), { recursive: true });
  try {
    execFileSync(base, ['-m', 'venv', folder], { stdio: 'pipe' });
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', `smartsim==${version}`], { stdio: 'pipe' });
    writeFileSync(join(folder, 'complete'), version);
    return { python };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    return { missing: `smartsim ${version} cannot be installed: ${String(error).split('\n')[0]}` };
  }
}

/**
 * Seconds that SmartSim's `Experiment.generate` takes for an ensemble with two parameters; its own start is not counted.
 * @param {string} python
 * @param {string} folder for its files
 * @param {string} template
 * @param {number} members
 */
export async function smartsimSeconds(python, folder, template, members) {
  const { stdout } = await run(python, [script, folder, template, String(members)], {
    env: { ...process.env, SMARTSIM_LOG_LEVEL: 'quiet' },
    maxBuffer: 64 * 1024 * 1024,
  });
  return Number(stdout.trim().split('\n').at(-1));
}
