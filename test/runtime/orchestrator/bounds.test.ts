import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { waitUntil } from '../support/wait-until.js';
import { oneOperator } from './support/onnx.js';
import { encode } from './support/raw-client.js';
import { onnxRuntime } from './support/start.js';

const mib = 1024 * 1024;
const children: ChildProcess[] = [];
const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A store in a process of its own: what it takes is then its own, too. */
async function startStore(...words: string[]): Promise<{ port: number; rss: () => number }> {
  const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
  const child = spawn(process.execPath, [main, 'orchestrator', '--port', '0', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const port = await new Promise<number>((resolve) => {
    child.stdout?.on('data', (line) => resolve(Number(/SSDB=[\d.]+:(\d+)/.exec(String(line))?.[1])));
  });
  const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))?.[1]) * 1024;
  return { port, rss };
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' });
    sockets.push(socket);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject).on('error', () => undefined);
      resolve(socket);
    });
  });
}

/** Sends and reads until the text has come, or so many bytes. */
function ask(socket: Socket, bytes: Buffer, until: string | number): Promise<string> {
  return new Promise((resolve) => {
    let tail = '';
    let length = 0;
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      tail = (tail + chunk.toString('latin1', Math.max(0, chunk.length - 4096))).slice(-4096);
      if (typeof until === 'number' ? length < until : !tail.includes(until)) return;
      socket.off('data', onData);
      resolve(tail);
    };
    socket.on('data', onData).on('close', () => resolve(tail));
    socket.write(bytes);
  });
}

const pinger = `
const { parentPort, workerData } = require('node:worker_threads');
const socket = require('node:net').connect(workerData, '127.0.0.1');
let worst = 0;
let since = 0;
let stop = false;
const ping = () => {
  since = performance.now();
  socket.write('*1\\r\\n$4\\r\\nPING\\r\\n');
};
socket.on('connect', () => { parentPort.postMessage('ready'); ping(); });
socket.on('data', () => {
  worst = Math.max(worst, performance.now() - since);
  if (!stop) setTimeout(ping, 2);
  else { parentPort.postMessage(worst); socket.destroy(); }
});
parentPort.on('message', () => { stop = true; });
parentPort.unref();
`;

/** The longest that a PING took, in milliseconds, asked for all the time until stopped, by a thread that does nothing else. */
async function pinging(port: number): Promise<() => Promise<number>> {
  const worker = new Worker(pinger, { eval: true, workerData: port });
  await new Promise((resolve) => worker.once('message', resolve));
  return () => {
    const worst = new Promise<number>((resolve) => worker.once('message', resolve));
    worker.postMessage('stop');
    return worst;
  };
}

test('300 half requests of 4 GiB do not silence the store', async () => {
  const { port, rss } = await startStore();
  const before = rss();
  const stopped = await pinging(port);
  for (let client = 0; client < 300; client += 1) {
    (await open(port)).write(Buffer.from('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4294967295\r\nbeginning'));
  }
  const other = await open(port);
  expect(await ask(other, encode('SET', 'small', 'value'), '\r\n')).toBe('+OK\r\n');
  expect(await ask(other, encode('SET', 'large', Buffer.alloc(8 * mib)), '\r\n')).toBe('+OK\r\n');
  expect(await stopped()).toBeLessThan(1000);
  expect(rss() - before).toBeLessThan(700 * mib);
}, 360_000);

test('all attacks on memory at once leave a store within its limit', async () => {
  const limit = 512 * mib;
  const { port, rss } = await startStore('--max-memory', '512M');
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, rss());
  }, 20);
  const oom = '-OOM ';
  const silent = async (bytes: Buffer, times = 1) => {
    const socket = await open(port);
    socket.pause();
    for (let time = 0; time < times; time += 1) socket.write(bytes);
  };
  const attacks: Record<string, () => Promise<unknown>> = {
    'values without data': async () => {
      const socket = await open(port);
      expect(await ask(socket, encode('AI.TENSORSET', 'k', 'INT8', '4000000000'), '\r\n')).toContain(oom);
      for (let key = 0; key < 40; key += 1) {
        await ask(socket, encode('AI.TENSORSET', `z${key}`, 'INT8', '30000000'), '\r\n');
      }
      expect(await ask(socket, encode('AI.TENSORSET', 'k', 'INT8', '30000000'), '\r\n')).toContain(oom);
    },
    'bulks that arrive': async () => {
      const half = Buffer.concat([
        Buffer.from(`*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$${64 * mib}\r\n`),
        Buffer.alloc(20 * mib, 1),
      ]);
      for (let client = 0; client < 20; client += 1) await silent(half);
    },
    'words that arrive': async () => {
      const words = Buffer.concat([Buffer.from('*1000000\r\n'), Buffer.from('$1\r\nw\r\n'.repeat(400_000))]);
      for (let client = 0; client < 20; client += 1) await silent(words);
    },
    'replies that nobody reads': async () => {
      const setter = await open(port);
      await ask(setter, encode('SET', 'reply', Buffer.alloc(15_000, 1)), '\r\n');
      const gets = Buffer.concat(Array.from({ length: 6000 }, () => encode('GET', 'reply')));
      for (let client = 0; client < 40; client += 1) await silent(gets);
    },
    'versions that slow readers pin': async () => {
      const setter = await open(port);
      for (let version = 0; version < 40; version += 1) {
        await ask(setter, encode('SET', 'version', Buffer.alloc(30 * mib, version)), '\r\n');
        await silent(encode('GET', 'version'));
      }
    },
    'small values': async () => {
      const socket = await open(port);
      for (let round = 0; round < 40; round += 1) {
        const sets = Array.from({ length: 10_000 }, (_, key) => encode('SET', `small${round}.${key}`, 'v'));
        await ask(socket, Buffer.concat([...sets, encode('ECHO', `done${round}`)]), `done${round}`);
      }
    },
    ...(onnxRuntime !== undefined && {
      'models and their sessions': async () => {
        const socket = await open(port);
        const model = oneOperator('Neg', 1, ['n', 2]);
        const padding = Buffer.alloc(20 * mib, 'x');
        // A comment of the model: field 6, doc_string.
        const long = Buffer.concat([model, Buffer.from([0x32, 0x80, 0x80, 0x80, 0x0a]), padding]);
        let refused = false;
        for (let key = 0; key < 40 && !refused; key += 1) {
          const words = ['AI.MODELSTORE', `m${key}`, 'ONNX', 'CPU', 'BLOB'] as const;
          refused = (await ask(socket, encode(...words, long), '\r\n')).includes(oom);
        }
        expect(refused).toBe(true);
      },
    }),
  };
  await Promise.all(Object.values(attacks).map((attack) => attack()));
  const last = await open(port);
  expect(await ask(last, encode('PING'), '\r\n')).toBe('+PONG\r\n');
  clearInterval(watch);
  expect(peak / mib).toBeLessThan((1.2 * limit) / mib + 150);
  // And it is well again once they have gone.
  for (const socket of sockets.splice(0)) socket.destroy();
  const after = await open(port);
  await ask(after, encode('FLUSHALL'), '\r\n');
  await waitUntil('there is room', async () =>
    (await ask(after, encode('SET', 'k', Buffer.alloc(300 * mib)), '\r\n')).includes('+OK'),
  );
}, 180_000);

test('PING is answered within 150 ms beside every command that has much to do', async () => {
  const { port } = await startStore();
  const setUp = await open(port);
  for (let round = 0; round < 30; round += 1) {
    const sets = Array.from({ length: 10_000 }, (_, key) => encode('SET', `key:${round}:${key}`, 'v'));
    await ask(setUp, Buffer.concat([...sets, encode('ECHO', `done${round}`)]), `done${round}`);
  }
  const members = Array.from({ length: 50_000 }, (_, member) => `member ${member}`);
  const large = async () => {
    for (const key of ['list', 'list2', 'list3']) {
      for (let part = 0; part < 4; part += 1) await ask(setUp, encode('RPUSH', key, ...members), '\r\n');
    }
    for (let part = 0; part < 4; part += 1) {
      const pairs = members.slice(0, 30_000).flatMap((word) => [`${part}${word}`, 'v']);
      await ask(setUp, encode('HSET', 'hash', ...pairs), '\r\n');
    }
  };
  await large();
  await ask(setUp, encode('AI.TENSORSET', 'tensor', 'DOUBLE', String(4 * mib)), '\r\n');
  const million = Buffer.concat([Buffer.from('*1000000\r\n$3\r\nDEL\r\n'), Buffer.from('$1\r\nw\r\n'.repeat(999_999))]);
  const works: readonly (readonly [what: string, bytes: Buffer, until: string | number])[] = [
    ['VALUES', encode('AI.TENSORGET', 'tensor', 'VALUES'), 4 * mib * 6],
    ['KEYS', Buffer.concat([encode('KEYS', '*'), encode('ECHO', 'end of keys')]), 'end of keys'],
    ['KEYS pattern', Buffer.concat([encode('KEYS', '*a*b*c*d*'), encode('ECHO', 'end')]), 'end'],
    ['SCAN', Buffer.concat([encode('SCAN', '0', 'COUNT', '1000000000'), encode('ECHO', 'end')]), 'end'],
    ['LRANGE', Buffer.concat([encode('LRANGE', 'list', '0', '-1'), encode('ECHO', 'end')]), 'end'],
    ['HGETALL', Buffer.concat([encode('HGETALL', 'hash'), encode('ECHO', 'end')]), 'end'],
    ['a million words', Buffer.concat([million, encode('ECHO', 'end')]), 'end'],
    [
      'many LPUSHes',
      Buffer.concat([...Array.from({ length: 5000 }, () => encode('LPUSH', 'list2', 'x')), encode('ECHO', 'end')]),
      'end',
    ],
    ['INFO', Buffer.concat([...Array.from({ length: 3000 }, () => encode('INFO')), encode('ECHO', 'end')]), 'end'],
    ['DEL', encode('DEL', 'list', 'list2', 'list3', 'hash'), ':4\r\n'],
    ['FLUSHALL', encode('FLUSHALL'), '+OK'],
  ];
  const slow: string[] = [];
  for (const [what, bytes, until] of works) {
    // A loaded machine keeps anybody waiting now and then; what a command does it does every time.
    let best = Number.POSITIVE_INFINITY;
    for (let time = 0; time < 4 && best > 150; time += 1) {
      if (what === 'DEL' && time > 0) await large();
      const stopped = await pinging(port);
      await ask(await open(port), bytes, until);
      best = Math.min(best, await stopped());
    }
    if (best > 150) slow.push(`${what}: ${Math.round(best)} ms`);
  }
  expect(slow).toEqual([]);
}, 360_000);
