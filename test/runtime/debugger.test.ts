import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { useBundle } from './support/bundle.js';
import { JobFolder } from './support/job-folder.js';
import { makePlan } from './support/make-plan.js';
import { waitUntil } from './support/wait-until.js';

const bundle = useBundle();
const debuggerPort = 9229;
const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

/** TCP ports that a process listens on. */
function portsOf(pid: number): number[] {
  const sockets = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
    } catch {
      return []; // It has just been closed.
    }
  });
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A' && sockets.includes(fields[9] ?? ''))
    .map((fields) => Number.parseInt(fields[1]?.split(':')[1] ?? '', 16));
}

/** Whether the process has a handler of SIGUSR1: Node sets its own early in its start. */
function catchesUsr1(pid: number): boolean {
  const caught = /^SigCgt:\s*([0-9a-f]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '0';
  return (BigInt(`0x${caught}`) & (1n << 9n)) !== 0n;
}

/** How long Node may take to open its debugger, in milliseconds: several times as long as a bare one took. */
let opensWithinMs = 300;

test('a bare Node opens its debugger at SIGUSR1, and is seen to', async () => {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], { stdio: 'ignore' });
  started.push(child);
  const pid = child.pid ?? 0;
  await waitUntil('Node handles the signal', () => catchesUsr1(pid));
  const before = performance.now();
  child.kill('SIGUSR1');
  await waitUntil('the debugger listens', () => portsOf(pid).includes(debuggerPort));
  opensWithinMs = Math.max(opensWithinMs, 3 * (performance.now() - before));
});

test('a store and its supervisor live on with it closed', async () => {
  const folder = new JobFolder(
    bundle(),
    makePlan([{ name: 'solver', stores: ['orchestrator'] }], [{ name: 'orchestrator' }]),
  );
  const job = folder.start(`
runtime up orchestrator
touch run/up
runtime launch solver -- sh -c 'trap "" USR1; touch begun; until [ -e ../go ]; do sleep 0.05; done' & launched+=($!)`);
  await waitUntil('the application runs', () => existsSync(folder.path('run/solver/begun')));
  const pids = ['store', 'supervise', 'launch'].flatMap((verb) => folder.runtimeProcesses(verb));
  expect(pids).toHaveLength(3);
  const before = pids.map(portsOf);
  for (const pid of pids) process.kill(pid, 'SIGUSR1');
  await sleep(opensWithinMs);
  expect(pids.map(portsOf)).toEqual(before);
  folder.write('run/go', '');
  expect(await job.ended).toMatchObject({ code: 0, stderr: '' });
});

test('a signal that comes while Node itself starts opens it for no longer than a moment', async () => {
  const folder = new JobFolder(bundle(), makePlan([{ name: 'solver' }]));
  const args = ['runtime/simwright.mjs', 'launch', 'solver', '--', 'sleep', '60'];
  const env = { ...process.env, SIMWRIGHT_JOB: 'main', SIMWRIGHT_JOB_ID: String(process.pid) };
  const child = spawn(process.execPath, args, { cwd: folder.dir, env, stdio: 'ignore' });
  started.push(child);
  const pid = child.pid ?? 0;
  await waitUntil('Node handles the signal', () => catchesUsr1(pid));
  child.kill('SIGUSR1');
  await waitUntil('the application runs', () => folder.states('solver')[0] === 'running');
  await sleep(opensWithinMs);
  expect(portsOf(pid)).toEqual([]);
  child.kill('SIGTERM');
  await waitUntil('it has ended', () => child.exitCode !== null);
});
