import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import type { OrchestratorOptions } from '../../../src/runtime/orchestrator/index.js';
import { startOrchestrator } from '../../../src/runtime/orchestrator/index.js';
import { kernelSpelling, normalAddress } from '../../../src/runtime/orchestrator/server/addresses.js';
import { answer, own, second, setAsNobody } from './support/peers.js';
import { encode } from './support/raw-client.js';
import { type Started, start } from './support/start.js';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function startAt(host: string, options: Partial<OrchestratorOptions>): Promise<number> {
  const orchestrator = await startOrchestrator({ listen: [{ kind: 'tcp', host, port: 0 }], ...options });
  stops.push(() => orchestrator.close());
  return Number(orchestrator.addresses[0]?.split(':').at(-1));
}

async function started(options: Partial<OrchestratorOptions> = {}): Promise<Started> {
  const running = await start(options);
  stops.push(() => running.stop());
  return running;
}

describe('peers on this host', () => {
  test('of the same user are served, many at once', async () => {
    const { port } = await started();
    const answers = await Promise.all(Array.from({ length: 50 }, () => answer({ port })));
    expect(new Set(answers)).toEqual(new Set(['served']));
  });

  test('of the same user are served by IPv6, plain and mapped', async () => {
    const port = await startAt('::', {});
    expect(await answer({ port, host: '::1' })).toBe('served');
    expect(await answer({ port, host: '127.0.0.1' })).toBe('served');
    expect(await answer({ port, host: '127.0.0.1', localAddress: '127.0.0.9' })).toBe('served');
  });

  const needs = second ? '' : ' (skipped: needs root and setpriv)';

  test.skipIf(!second)(`of another user are refused before anything is run${needs}`, async () => {
    const running = await started();
    expect(await setAsNobody(running.port)).toContain(
      '-DENIED only processes of the user who runs this orchestrator are served',
    );
    expect(running.orchestrator.stats()).toMatchObject({ keys: 0, requests: 0, clients: 0 });
  });

  test.skipIf(!second)(`of another user are served where the check is off${needs}`, async () => {
    const running = await started({ peerCheck: false });
    expect(await setAsNobody(running.port)).toBe('+OK\r\n');
    expect(running.orchestrator.stats()).toMatchObject({ keys: 1 });
  });

  test.skipIf(!second)(`of another user cannot open a socket of mode 0700${needs}`, async () => {
    const running = await started();
    spawnSync('chmod', ['755', running.folder]);
    expect(await setAsNobody(running.socketPath)).toBe('EACCES');
  });
});

const pythonHere = spawnSync('python3', ['--version']).error === undefined;

describe('a port that a stranger has had', () => {
  const needs = second && pythonHere ? '' : ' (skipped: needs root and python3)';

  test.skipIf(!second || !pythonHere)(
    `is no way to run anything: 2000 tries${needs}`,
    async () => {
      const messages: string[] = [];
      const running = await started({ log: (_level, message) => messages.push(message) });
      const script = fileURLToPath(new URL('support/port_thief.py', import.meta.url));
      const { stdout } = await promisify(execFile)('python3', [script, String(running.port), '2000', '60']);
      expect(Number(stdout)).toBe(2000);
      const { keys, requests, refused } = running.orchestrator.stats();
      expect(keys).toBe(0);
      // The owner's, all of them.
      expect(requests).toBe(2000);
      await running.orchestrator.close();
      // Those that are refused are counted, and told of once a second.
      const told = messages.filter((message) => message.startsWith('refused '));
      expect(told.length).toBeLessThanOrEqual(90);
      const counts = told.map((message) => Number(/^refused (\d+) more/.exec(message)?.[1] ?? 1));
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(refused);
    },
    90_000,
  );
});

describe('a peer of the same user', () => {
  test('that has no more to say is served', async () => {
    const { port, orchestrator } = await started();
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end(encode('SET', 'k', 'v'));
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toBe('+OK\r\n');
    expect(orchestrator.stats()).toMatchObject({ keys: 1, refused: 0 });
  });

  test('that has gone before it was looked at is no stranger', async () => {
    const messages: string[] = [];
    const { port, orchestrator } = await started({ log: (_level, message) => messages.push(message) });
    for (let peer = 0; peer < 20; peer += 1) {
      const socket = connect({ port, host: '127.0.0.1' });
      await new Promise((resolve) => socket.once('connect', resolve));
      socket.resetAndDestroy();
    }
    expect(await answer({ port })).toBe('served');
    expect(orchestrator.stats().refused).toBe(0);
    expect(messages.filter((message) => message.includes('refused'))).toEqual([]);
  });
});

describe.skipIf(own === undefined)(
  `peers beyond loopback${own === undefined ? ' (skipped: no such interface)' : ''}`,
  () => {
    const host = own ?? '';
    const refused = `-DENIED ${host} is not on this orchestrator's list of addresses\r\n`;

    test('are refused unless they are on the list', async () => {
      expect(await answer({ host, port: await startAt(host, {}) })).toBe(refused);
      expect(await answer({ host, port: await startAt(host, { peerCheck: false }) })).toBe(refused);
      expect(await answer({ host, port: await startAt(host, { allow: { addresses: ['192.0.2.1'] } }) })).toBe(refused);
      expect(await answer({ host, port: await startAt(host, { allow: { addresses: [host] } }) })).toBe('served');
      expect(await answer({ host, port: await startAt('0.0.0.0', { allow: { addresses: [`::ffff:${host}`] } }) })).toBe(
        'served',
      );
    });

    test('are found in a folder that is read again for unknown ones', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'simwright-allow-'));
      const names = join(folder, 'allow');
      const port = await startAt(host, { allow: { folder: names } });
      expect(await answer({ host, port })).toBe(refused);
      mkdirSync(names);
      writeFileSync(join(names, '192.0.2.7'), '');
      expect(await answer({ host, port })).toBe(refused);
      writeFileSync(join(names, host), '');
      expect(await answer({ host, port })).toBe('served');
      rmSync(folder, { recursive: true });
      expect(await answer({ host, port })).toBe('served');
    });
  },
);

test.each([
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['::1', '0000:0000:0000:0000:0000:0000:0000:0001'],
  ['FE80::1%eth0', 'fe80:0000:0000:0000:0000:0000:0000:0001'],
  ['2001:db8::8a2e:370:7334', '2001:0db8:0000:0000:0000:8a2e:0370:7334'],
])('the address %s', (written, normal) => {
  expect(normalAddress(written)).toBe(normal);
  expect(normalAddress(normal)).toBe(normal);
});

test('addresses as the kernel writes them', () => {
  expect(kernelSpelling('127.0.0.1')).toEqual({ tcp: '0100007F', tcp6: '0000000000000000FFFF00000100007F' });
  expect(kernelSpelling(normalAddress('::1'))).toEqual({ tcp6: '00000000000000000000000001000000' });
});
