// CPU time that a request costs the orchestrator, beside another build of it. Both run the same load in turn, several times over; CPU time
// says little of what else the machine does, as rates do.
// usage: node bench/orchestrator-beside.mjs DIR [quick] [NAME…]
// DIR is the folder of the other build: a worktree of an older commit in which `npm run build` has been run.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Redis } from 'ioredis';
import { report } from './measure.mjs';
import { requestsPerSecond, startOrchestrator, startOrchestratorOf } from './orchestrator-parts.mjs';

const [directory = '', ...words] = process.argv.slice(2);
if (directory === '') {
  console.error('usage: node bench/orchestrator-beside.mjs DIR [quick] [NAME…]');
  process.exit(2);
}
const quick = words.includes('quick');
const asked = words.filter((word) => word !== 'quick');
const rounds = quick ? 4 : 12;
const kib = 1024;
const bar = '<= 1.03';
/** Clock ticks a second of /proc. */
const ticks = 100;

/**
 * Runs of models are not among them: where one runs, on the main thread or another, depends on what else the machine does, and costs more than
 * builds differ.
 * @type {Record<string, { clients: number, requests: number, bytes?: number, pipeline?: number, command: readonly string[] }>}
 */
const loads = {
  'set, 16 at a time': { clients: 16, requests: 400_000, pipeline: 16, command: ['-t', 'set'] },
  'get, 16 at a time': { clients: 16, requests: 400_000, pipeline: 16, command: ['-t', 'get'] },
  set: { clients: 16, requests: 50_000, command: ['-t', 'set'] },
  get: { clients: 16, requests: 50_000, command: ['-t', 'get'] },
  ...tensors(1, 50_000),
  ...tensors(64, 20_000),
  ...tensors(1024, 3000),
  hset: { clients: 16, requests: 400_000, pipeline: 16, command: ['-t', 'hset'] },
};

/**
 * @param {number} kibibytes
 * @param {number} requests
 */
function tensors(kibibytes, requests) {
  const load = { clients: 8, requests, bytes: kibibytes * kib };
  return {
    [`tensor set ${kibibytes} KiB`]: {
      ...load,
      command: ['-x', 'AI.TENSORSET', 't', 'INT8', String(load.bytes), 'BLOB'],
    },
    [`tensor get ${kibibytes} KiB`]: { ...load, command: ['AI.TENSORGET', `t${kibibytes}`, 'META', 'BLOB'] },
  };
}

/** CPU time of a process so far, in seconds: all of its threads, in it and in the system for it. @param {number} pid */
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticks;
}

/** The mean of the better half: what others do on the machine makes a request dearer, never cheaper. @param {readonly number[]} costs */
function quiet(costs = []) {
  const half = [...costs].sort((a, b) => a - b).slice(0, costs.length / 2);
  return half.reduce((sum, cost) => sum + cost, 0) / half.length;
}

/** @param {number} port */
async function setUp(port) {
  const redis = new Redis(port);
  for (const kibibytes of [1, 64, 1024]) {
    const bytes = kibibytes * kib;
    await redis.call('AI.TENSORSET', `t${kibibytes}`, 'INT8', String(bytes), 'BLOB', Buffer.alloc(bytes, 1));
  }
  redis.disconnect();
}

// Busy polling is off: it would count as CPU time of the requests.
const options = ['--busy-poll', '0'];
const [ours, theirs] = await Promise.all([
  startOrchestrator(...options),
  startOrchestratorOf(resolve(directory), ...options),
]);
await Promise.all([setUp(ours.port), setUp(theirs.port)]);
console.log(`${'CPU time of a request, ours beside theirs'.padEnd(58)} ${'ratio'.padStart(8)}  bar`);
for (const [name, { command, ...load }] of Object.entries(loads)) {
  if (asked.length > 0 && !asked.some((word) => name.includes(word))) continue;
  /** Microseconds of a request in each round. @type {Record<string, number[]>} */
  const costs = { ours: [], theirs: [] };
  for (let round = 0; round <= rounds; round += 1) {
    // Whoever comes second may find a warmer machine.
    for (const who of round % 2 === 0 ? ['ours', 'theirs'] : ['theirs', 'ours']) {
      const { pid, port } = who === 'ours' ? ours : theirs;
      const before = cpuSeconds(pid);
      await requestsPerSecond(port, load, ...command);
      // In the first round code is compiled.
      if (round > 0) costs[who]?.push(((cpuSeconds(pid) - before) * 1e6) / load.requests);
    }
  }
  const [own, other] = [quiet(costs['ours']), quiet(costs['theirs'])];
  report(name, own / other, bar, `${own.toFixed(2)} µs : ${other.toFixed(2)} µs`);
}
await Promise.all([ours.stop(), theirs.stop()]);
