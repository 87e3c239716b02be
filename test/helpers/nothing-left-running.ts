import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';

/**
 * Marks every process that the tests start, and leaves one behind that ends them all once this process has ended, be it by SIGTERM or SIGKILL.
 * Vitest's global set-up; returns what takes it back.
 */
export default function setup(): () => void {
  const run = randomUUID();
  const reaper = fileURLToPath(new URL('reaper.mjs', import.meta.url));
  const { SIMWRIGHT_TEST_RUN: _outer, ...env } = process.env;
  const child = spawn(process.execPath, [reaper, run], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env });
  child.unref();
  const { stdin } = child;
  // The pipe keeps nobody waiting.
  if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
  process.env['SIMWRIGHT_TEST_RUN'] = run;
  return () => stdin.end();
}
