import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { isNewEnough } from '../../../src/runtime/engine/find-engine.js';
import type { OrchestratorOptions } from '../../../src/runtime/orchestrator/index.js';
import { answer, own, second, setAsNobody } from '../orchestrator/support/peers.js';
import { lackOfModule, orSkipped } from './support/lacks.js';
import { type StartedServer, servers, startOnServer } from './support/servers.js';

const server = servers.find(isNewEnough);
const lacks = lackOfModule({ 'a server': server });
const needs = second ? '' : ' (skipped: needs root and setpriv)';

describe.skipIf(lacks !== '')(orSkipped('peers of a store on a server', lacks), () => {
  let running: StartedServer | undefined;
  afterEach(() => running?.stop());

  async function started(options: Partial<OrchestratorOptions> = {}, host = '127.0.0.1'): Promise<StartedServer> {
    if (server === undefined) throw new Error('there is no server');
    const folder = mkdtempSync(join(tmpdir(), 'simwright-peers-'));
    const unix = { kind: 'unix', path: join(folder, 'store.sock'), permissions: 0o700 } as const;
    const one = await startOnServer(server, { listen: [{ kind: 'tcp', host, port: 0 }, unix], ...options }, false);
    const whole = {
      ...one,
      socketPath: unix.path,
      async stop() {
        await one.stop();
        rmSync(folder, { recursive: true, force: true });
      },
    };
    running = whole;
    return whole;
  }

  /** Number of its keys, and of the peers that it has refused. */
  async function counts({ socketPath }: StartedServer): Promise<[keys: number, refused: number]> {
    const redis = new Redis(socketPath);
    const info = String(await redis.call('INFO', 'ai_engine'));
    const keys = await redis.dbsize();
    redis.disconnect();
    return [keys, Number(/clients_refused:(\d+)/.exec(info)?.[1])];
  }

  test('of the same user are served, many at once, by IPv6 too', async () => {
    const { port } = await started();
    const answers = await Promise.all(Array.from({ length: 50 }, () => answer({ port })));
    expect(new Set(answers)).toEqual(new Set(['served']));
    expect(await answer({ port, host: '127.0.0.1', localAddress: '127.0.0.9' })).toBe('served');
    await running?.stop();
    const six = await started({}, '::1');
    expect(await answer({ port: six.port, host: '::1' })).toBe('served');
  });

  test.skipIf(!second)(`of another user are refused before anything is run${needs}`, async () => {
    const one = await started();
    expect(await setAsNobody(one.port)).toContain(
      '-DENIED only processes of the user who runs this orchestrator are served',
    );
    expect(await counts(one)).toEqual([0, 1]);
  });

  test.skipIf(!second)(`of another user are served where the check is off${needs}`, async () => {
    const one = await started({ peerCheck: false });
    expect(await setAsNobody(one.port)).toBe('+OK\r\n');
    expect(await counts(one)).toEqual([1, 0]);
  });

  test.skipIf(!second)(`a port that a stranger has had is no way to run anything${needs}`, async () => {
    const one = await started();
    const script = fileURLToPath(new URL('../orchestrator/support/port_thief.py', import.meta.url));
    const { stdout } = await promisify(execFile)('python3', [script, String(one.port), '1000', '60']);
    expect(Number(stdout)).toBe(1000);
    expect((await counts(one))[0]).toBe(0);
  });

  test('that have gone before they were looked at are no strangers', async () => {
    const one = await started();
    for (let peer = 0; peer < 20; peer += 1) {
      const socket = connect({ port: one.port, host: '127.0.0.1' });
      await new Promise((resolve) => socket.once('connect', resolve));
      socket.resetAndDestroy();
    }
    expect(await answer({ port: one.port })).toBe('served');
    expect(await counts(one)).toEqual([0, 0]);
  });

  test.skipIf(own === undefined)(
    `beyond loopback are served if they are on the list, which is read again${own === undefined ? ' (skipped: no such interface)' : ''}`,
    async () => {
      const host = own ?? '';
      const refused = `-DENIED ${host} is not on this orchestrator's list of addresses\r\n`;
      const folder = mkdtempSync(join(tmpdir(), 'simwright-allow-'));
      const { port } = await started({ allow: { addresses: ['192.0.2.1'], folder: join(folder, 'allow') } }, host);
      expect(await answer({ host, port })).toBe(refused);
      mkdirSync(join(folder, 'allow'));
      writeFileSync(join(folder, 'allow/192.0.2.7'), '');
      expect(await answer({ host, port })).toBe(refused);
      writeFileSync(join(folder, 'allow', host), '');
      expect(await answer({ host, port })).toBe('served');
      rmSync(folder, { recursive: true });
    },
  );
});
