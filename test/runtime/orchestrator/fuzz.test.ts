import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { commands } from '../../../src/runtime/orchestrator/commands/table.js';
import { memoryInUse } from './support/memory-in-use.js';
import { mutatedRequest, mutatedWords, randomOf, seedRequests } from './support/mutations.js';
import { encode } from './support/raw-client.js';
import { modelFile, onnxRuntime, type Started, start } from './support/start.js';

/** `SIMWRIGHT_FUZZ_REQUESTS=1000000` for the long run; `SIMWRIGHT_FUZZ_SEED` repeats one. */
const requests = Number(process.env['SIMWRIGHT_FUZZ_REQUESTS'] ?? 20_000);
const seed = Number(process.env['SIMWRIGHT_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const batch = 100;
/** A store that says nothing for so long hangs. */
const patienceMs = 20_000;
/** A request that waits for a list is left to wait for so long. */
const nudgeMs = 20;

/** Ends whatever any client waits for, so that what comes after it is answered. */
async function endWaits(started: Started): Promise<void> {
  const socket = await open(started);
  const list = await new Promise<string>((resolve) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.endsWith('listed\r\n')) resolve(text);
    });
    socket.on('close', () => resolve(text));
    socket.write(Buffer.concat([encode('CLIENT', 'LIST'), encode('ECHO', 'listed')]));
  });
  const waiting = [...list.matchAll(/^id=(\d+) .* flags=\w*b\w* /gm)].map(([, id]) =>
    encode('CLIENT', 'UNBLOCK', id ?? ''),
  );
  if (waiting.length > 0) socket.write(Buffer.concat(waiting));
  socket.end();
}

/** Sends bytes, ends what they may have begun, and sends an ECHO; resolves to whether the connection still stands when it is answered. */
function exchange(started: Started, socket: Socket, bytes: Buffer, nonce: string): Promise<boolean> {
  // Another connection may have had it killed.
  if (socket.destroyed) return Promise.resolve(false);
  return new Promise((resolve, reject) => {
    let tail = '';
    const nudge = setInterval(() => void endWaits(started), nudgeMs);
    const timer = setTimeout(() => done(new Error('the store is silent')), patienceMs);
    const onData = (chunk: Buffer): void => {
      // A reply of hundreds of megabytes is no silence.
      timer.refresh();
      tail = (tail + chunk.subarray(-100).toString('latin1')).slice(-100);
      if (tail.endsWith(`${nonce}\r\n`)) done(true);
    };
    const onClose = (): void => done(false);
    const done = (outcome: boolean | Error): void => {
      clearTimeout(timer);
      clearInterval(nudge);
      socket.off('data', onData).off('close', onClose);
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    };
    socket.on('data', onData).on('close', onClose);
    socket.write(bytes);
    socket.write(Buffer.concat([encode('RESET'), encode('ECHO', nonce)]));
  });
}

function open({ socketPath }: Started): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject).on('error', () => undefined);
      resolve(socket);
    });
  });
}

async function setUp(started: Started): Promise<void> {
  const socket = await open(started);
  const parts = [
    encode('CONFIG', 'SET', 'maxmemory', '64mb', 'maxmemory-policy', 'allkeys-lru'),
    encode('AI.TENSORSET', 'x', 'FLOAT', '1', '2', 'VALUES', '1', '2'),
  ];
  if (onnxRuntime !== undefined) parts.push(encode('AI.MODELSTORE', 'm', 'ONNX', 'CPU', 'BLOB', modelFile('double')));
  expect(await exchange(started, socket, Buffer.concat(parts), 'set-up')).toBe(true);
  socket.destroy();
}

/** Bytes in use when nothing is stored. */
async function memoryOfEmpty(started: Started): Promise<number> {
  const socket = await open(started);
  expect(await exchange(started, socket, encode('FLUSHALL'), 'flushed')).toBe(true);
  socket.destroy();
  expect(started.orchestrator.stats()).toMatchObject({ keys: 0, usedBytes: 0 });
  return memoryInUse();
}

test('every command is among those that are mutated', () => {
  const seeds = new Set(seedRequests.map(([name]) => name?.toLowerCase()));
  expect(commands.map(({ name }) => name).filter((name) => !seeds.has(name))).toEqual([]);
});

test(`${requests} mutated requests neither crash the store nor hang it nor cost it memory`, async () => {
  const bugs: string[] = [];
  const started = await start({
    log: (level, message) => level === 'error' && bugs.push(message),
  });
  const random = randomOf(seed);
  let before: number | undefined;
  let sent = 0;
  try {
    let socket = await open(started);
    while (sent < requests) {
      if (sent % 10_000 === 0) {
        if (sent === 10_000) before = await memoryOfEmpty(started);
        await setUp(started);
      }
      const framed = Array.from({ length: batch - 1 }, () => encode(...mutatedWords(random)));
      const stands = await exchange(started, socket, Buffer.concat(framed), `nonce-${sent}`);
      if (!stands) socket = await open(started);
      // What breaks the protocol may leave the store waiting for more: only others can tell that it is well.
      const broken = await open(started);
      broken.write(mutatedRequest(random));
      broken.resume().end();
      sent += batch;
    }
    const other = await open(started);
    expect(await exchange(started, other, encode('PING'), 'still there')).toBe(true);
    other.destroy();
    socket.destroy();
    expect(bugs).toEqual([]);
    if (before !== undefined) expect(await memoryOfEmpty(started)).toBeLessThan(before + 24 * 1024 * 1024);
  } catch (error) {
    throw new Error(`after ${sent} requests of SIMWRIGHT_FUZZ_SEED=${seed}: ${String(error)}`, { cause: error });
  } finally {
    await started.stop();
  }
}, 2_700_000);
