import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { waitUntil } from '../runtime/support/wait-until.js';

/** A program that acts like a test run: it sets up, starts a process in its own session that ignores SIGTERM, and goes on. */
const run = `
import { spawn } from 'node:child_process';
import setup from ${JSON.stringify(fileURLToPath(new URL('nothing-left-running.ts', import.meta.url)))};
setup();
const words = ['-c', 'trap "" TERM; while :; do sleep 1; done'];
const child = spawn('bash', words, { detached: true, stdio: 'ignore' });
console.log(child.pid);
setInterval(() => {}, 1000);
`;

const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

test.each(['SIGTERM', 'SIGKILL'] as const)('tests that are ended by %s leave no process', async (signal) => {
  const words = ['--import', 'tsx', '--input-type=module', '-e', run];
  const env = { ...process.env, SIMWRIGHT_TEST_RUN: '' };
  const tests = spawn(process.execPath, words, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(tests.stdout, 'data')) as [Buffer];
  const pid = Number(line);
  expect(isAlive(pid)).toBe(true);
  tests.kill(signal);
  await waitUntil('what they have started has ended', () => !isAlive(pid), 30);
});

test('what these tests start is marked as theirs', () => {
  expect(process.env['SIMWRIGHT_TEST_RUN']).toMatch(/^[0-9a-f-]{36}$/);
});
