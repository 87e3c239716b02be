import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { embeddedTest, isEmbedded, onOneServer, serverTest } from './support/engine.js';
import { encode, RawClient, rawReply } from './support/raw-client.js';
import { modelFile, onnxRuntime, type Started, start } from './support/start.js';

const refusal = '-ERR Cannot run RedisAI command within a transaction or a LUA script\r\n';
const aborted = '-EXECABORT Transaction discarded because of previous errors.\r\n';

let started: Started;
let one: RawClient;
let other: RawClient;
beforeAll(async () => {
  started = await start();
});
afterAll(() => started.stop());
beforeEach(async () => {
  one = await RawClient.connect({ path: started.socketPath });
  other = await RawClient.connect({ path: started.socketPath });
  await call(one, 'FLUSHALL');
  return () => {
    one.destroy();
    other.destroy();
  };
});

async function call(client: RawClient, ...words: (string | Buffer)[]): Promise<string> {
  await client.write(encode(...words));
  return rawReply(client);
}

/** MULTI, the requests, EXEC; the reply of EXEC. */
async function execute(requests: readonly (readonly (string | Buffer)[])[]): Promise<string> {
  await call(one, 'MULTI');
  for (const words of requests) expect(await call(one, ...words)).toBe('+QUEUED\r\n');
  return call(one, 'EXEC');
}

describe('transactions', () => {
  test.each([
    [['AI.MODELEXECUTE', 'm', 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y']],
    [['AI.MODELRUN', 'm', 'INPUTS', 'x', 'OUTPUTS', 'y']],
    [['AI.SCRIPTEXECUTE', 's', 'f', 'KEYS', '1', 'k']],
    [['AI.SCRIPTRUN', 's', 'f', 'INPUTS', 'x']],
    [['AI.DAGEXECUTE', 'LOAD', '1', 'x', '|>', 'AI.TENSORGET', 'x']],
    [['AI.DAGEXECUTE_RO', 'LOAD', '1', 'x', '|>', 'AI.TENSORGET', 'x']],
    [['AI.DAGRUN', 'LOAD', '1', 'x', '|>', 'AI.TENSORGET', 'x']],
    [['AI.DAGRUN_RO', 'LOAD', '1', 'x', '|>', 'AI.TENSORGET', 'x']],
  ])('%j is refused at its end, and what stands beside it is applied', async (words) => {
    const reply = await execute([['SET', 'a', '1'], words, ['SET', 'b', '1']]);
    expect(reply).toBe(`*3\r\n+OK\r\n${refusal}+OK\r\n`);
    expect(await call(one, 'EXISTS', 'a', 'b')).toBe(':2\r\n');
  });

  test('a command that does not exist, and one that lacks words, is refused at once, and nothing is applied', async () => {
    for (const words of [['AI.NONSENSE'], ['GET']]) {
      await call(one, 'MULTI');
      expect(await call(one, 'SET', 'a', '1')).toBe('+QUEUED\r\n');
      expect(await call(one, ...words)).toMatch(/^-ERR /);
      expect(await call(one, 'EXEC')).toBe(aborted);
      expect(await call(one, 'EXISTS', 'a')).toBe(':0\r\n');
    }
  });

  test('others see all of it or nothing', async () => {
    const pairs = 300;
    await call(one, 'MSET', 'a', '0', 'b', '0');
    const increments = [encode('MULTI'), encode('INCR', 'a'), encode('INCR', 'b'), encode('EXEC')];
    const wrote = one.write(Buffer.concat(Array.from({ length: pairs }, () => Buffer.concat(increments))));
    let [a, b] = ['', ''];
    while (b !== String(pairs)) {
      [, , a = '', , b = ''] = (await call(other, 'MGET', 'a', 'b')).split('\r\n');
      expect(a).toBe(b);
    }
    await wrote;
  });

  test('tensors, with what must be checked at length', async () => {
    const large = Buffer.alloc(3 * 1024 * 1024, 1);
    const wrong = Buffer.alloc(3 * 1024 * 1024, 2);
    const set = (key: string, bytes: Buffer) => ['AI.TENSORSET', key, 'BOOL', String(bytes.length), 'BLOB', bytes];
    const reply = await execute([
      set('t', large),
      set('u', wrong),
      ['AI.TENSORGET', 't', 'META'],
      ['COPY', 't', 'v'],
      ['DEL', 't'],
      ['STRLEN', 't'],
    ]);
    expect(reply).toMatch(
      /^\*6\r\n\+OK\r\n-ERR BOOL tensor elements must be 0 or 1\r\n\*4\r\n\$5\r\ndtype\r\n.*:1\r\n:1\r\n:0\r\n$/s,
    );
    expect(await call(one, 'AI.TENSORGET', 'v', 'BLOB')).toBe(`$${large.length}\r\n${large.toString('latin1')}\r\n`);
  });

  // A server runs a transaction in one go, and cannot wait for its AI layer meanwhile.
  serverTest('models and scripts are not stored and read by one on a server', async () => {
    const reply = await execute([
      ['AI.MODELSTORE', 'm', 'ONNX', 'CPU', 'BLOB', 'x'],
      ['AI.SCRIPTSET', 's', 'CPU', 'SOURCE', 'x'],
      ['AI.MODELGET', 'm'],
      ['AI.TENSORSET', 't', 'FLOAT', '1'],
    ]);
    expect(reply).toBe(`*4\r\n${refusal}${refusal}${refusal}+OK\r\n`);
    expect(await call(one, 'EXISTS', 'm', 's', 't')).toBe(':1\r\n');
  });

  embeddedTest('models are loaded beforehand, and dropped if it comes to nothing', async ({ skip }) => {
    skip(onnxRuntime === undefined);
    const store = ['AI.MODELSTORE', 'm', 'ONNX', 'CPU', 'TAG', 't', 'BLOB', modelFile('double')];
    const setOld = ['AI.MODELSET', 'n', 'ONNX', 'CPU', 'BLOB', modelFile('double')];
    const bad = ['AI.MODELSTORE', 'k', 'ONNX', 'CPU', 'BLOB', 'no model'];
    const reply = await execute([
      ['DEL', 'm'],
      store,
      ['EXISTS', 'm'],
      bad,
      setOld,
      ['COPY', 'm', 'copy'],
      ['DEL', 'm'],
    ]);
    expect(reply).toMatch(/^\*7\r\n:0\r\n\+OK\r\n:1\r\n-[^\r\n]+\r\n\+OK\r\n:1\r\n:1\r\n$/);
    await call(one, 'AI.TENSORSET', 'x', 'FLOAT', '1', '2', 'VALUES', '1', '2');
    for (const model of ['copy', 'n']) {
      expect(await call(one, 'AI.MODELEXECUTE', model, 'INPUTS', '1', 'x', 'OUTPUTS', '1', 'y')).toBe('+OK\r\n');
    }
    await call(one, 'WATCH', 'w');
    await call(other, 'SET', 'w', '1');
    expect(await execute([store])).toBe('*-1\r\n');
    expect(await call(one, 'EXISTS', 'm')).toBe(':0\r\n');
  });

  test('a watched key that others change, and one that expires', async () => {
    await call(one, 'WATCH', 'a', 'b');
    await call(other, 'RPUSH', 'b', 'x');
    expect(await execute([['SET', 'c', '1']])).toBe('*-1\r\n');
    await call(one, 'SET', 'a', '1', 'PX', '500');
    await call(one, 'WATCH', 'a');
    await expect.poll(() => call(other, 'EXISTS', 'a')).toBe(':0\r\n');
    expect(await execute([['SET', 'c', '1']])).toBe('*-1\r\n');
    await call(one, 'WATCH', 'a');
    await call(other, 'SET', 'b', '1');
    expect(await execute([['SET', 'c', '1']])).toBe('*1\r\n+OK\r\n');
  });

  embeddedTest('what is queued takes of the memory there is, and is given back', async () => {
    await call(one, 'CONFIG', 'SET', 'maxmemory', '1mb');
    await call(one, 'MULTI');
    const value = 'v'.repeat(400_000);
    expect(await call(one, 'SET', 'a', value)).toBe('+QUEUED\r\n');
    expect(await call(one, 'ECHO', value)).toBe('+QUEUED\r\n');
    expect(await call(one, 'ECHO', value)).toMatch(/^-OOM /);
    expect(await call(one, 'EXEC')).toBe(aborted);
    expect(await execute([['SET', 'a', value]])).toBe('*1\r\n+OK\r\n');
    await call(other, 'MULTI');
    await call(other, 'ECHO', value);
    other.destroy();
    await call(one, 'DEL', 'a');
    await expect
      .poll(async () => {
        await call(one, 'MULTI');
        const queued = [await call(one, 'ECHO', value), await call(one, 'ECHO', value)];
        await call(one, 'DISCARD');
        return queued;
      })
      .toEqual(['+QUEUED\r\n', '+QUEUED\r\n']);
    await call(one, 'CONFIG', 'SET', 'maxmemory', '0');
  });
});

onOneServer(describe)('commands that wait', () => {
  const blocked = (count: number) =>
    expect.poll(() => call(one, 'INFO', 'clients')).toContain(`blocked_clients:${count}\r\n`);

  test('those who wait are served in the order in which they came, after the command that brings something', async () => {
    const clients: RawClient[] = [];
    for (let index = 0; index < 3; index += 1) {
      const client = await RawClient.connect({ path: started.socketPath });
      clients.push(client);
      await client.write(encode('BLPOP', 'none', 'queue', '0'));
      await blocked(index + 1);
    }
    await one.write(Buffer.concat([encode('RPUSH', 'queue', 'a', 'b'), encode('LLEN', 'queue')]));
    expect(await rawReply(one)).toBe(':2\r\n');
    expect(await rawReply(one)).toBe(':0\r\n');
    const replies = await Promise.all(clients.slice(0, 2).map(rawReply));
    expect(replies).toEqual(['a', 'b'].map((each) => `*2\r\n$5\r\nqueue\r\n$1\r\n${each}\r\n`));
    clients[2]?.destroy();
    await blocked(0);
    await call(one, 'RPUSH', 'queue', 'c');
    expect(await call(one, 'LLEN', 'queue')).toBe(':1\r\n');
    for (const client of clients) client.destroy();
  });

  test('by RENAME, COPY, LMOVE, and at the end of a transaction', async () => {
    const steps: [string[], string[][]][] = [
      [
        ['BRPOP', 'q', '0'],
        [
          ['RPUSH', 'p', 'x'],
          ['RENAME', 'p', 'q'],
        ],
      ],
      [
        ['BLMPOP', '0', '1', 'q', 'LEFT'],
        [
          ['RPUSH', 'p', 'x'],
          ['COPY', 'p', 'q'],
          ['DEL', 'p'],
        ],
      ],
      [
        ['BLMOVE', 'q', 'r', 'LEFT', 'LEFT', '0'],
        [
          ['RPUSH', 'p', 'x'],
          ['LMOVE', 'p', 'q', 'LEFT', 'LEFT'],
        ],
      ],
      [
        ['BLPOP', 'q', '0'],
        [['MULTI'], ['RPUSH', 'q', 'y'], ['LPUSH', 'q', 'x'], ['RPOP', 'q'], ['EXEC']],
      ],
    ];
    for (const [waits, commands] of steps) {
      await other.write(encode(...waits));
      await blocked(1);
      for (const words of commands) await call(one, ...words);
      expect(await rawReply(other)).toMatch(/\$1\r\nx\r\n$/);
      expect(await call(one, 'EXISTS', 'p', 'q')).toBe(':0\r\n');
    }
  });

  test('with a target of another type, until time is over, until somebody ends it', async () => {
    await call(one, 'SET', 'text', 'x');
    await other.write(encode('BLMOVE', 'q', 'text', 'LEFT', 'LEFT', '0'));
    await blocked(1);
    await call(one, 'RPUSH', 'q', 'x');
    expect(await rawReply(other)).toMatch(/^-WRONGTYPE/);
    expect(await call(one, 'LLEN', 'q')).toBe(':1\r\n');
    expect(await call(other, 'BLPOP', 'none', '0.01')).toBe('*-1\r\n');
    const id = (await call(other, 'CLIENT', 'ID')).slice(1).trim();
    for (const [mode, reply] of [
      ['TIMEOUT', '*-1\r\n'],
      ['ERROR', '-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n'],
    ] as const) {
      await other.write(encode('BLPOP', 'none', '0'));
      await blocked(1);
      expect(await call(one, 'CLIENT', 'UNBLOCK', id, mode)).toBe(':1\r\n');
      expect(await rawReply(other)).toBe(reply);
    }
    expect(await call(one, 'CLIENT', 'UNBLOCK', id)).toBe(':0\r\n');
  });

  test('a store that is ended does not wait for those who wait', async () => {
    const store = await start();
    const waiting = await RawClient.connect({ path: store.socketPath });
    await waiting.write(Buffer.concat([encode('PING'), encode('BLPOP', 'none', '0')]));
    expect(await rawReply(waiting)).toBe('+PONG\r\n');
    const before = performance.now();
    await store.stop();
    expect(performance.now() - before).toBeLessThan(4000);
  });
});

test('MONITOR shows what others send, without passwords, and stops with RESET', async () => {
  expect(await call(other, 'MONITOR')).toBe('+OK\r\n');
  await call(one, 'SET', 'k', 'a\r\n"\\\0\xff');
  await call(one, 'AUTH', 'default', 'secret');
  await call(one, 'NONSENSE');
  await call(one, 'MULTI');
  await call(one, 'GET', 'k');
  await call(one, 'EXEC');
  await call(one, 'SET', 'k', 'v'.repeat(5000));
  const lines: string[] = [];
  while (lines.length < 6) {
    const line = await rawReply(other);
    // The process that holds a server asks it now and then.
    if (!line.includes('"INFO"')) lines.push(line.replace(/^\+\d+\.\d{6} \[0 [^\]]*\] /, ''));
  }
  expect(lines).toEqual([
    '"SET" "k" "a\\r\\n\\"\\\\\\x00\\xc3\\xbf"\r\n',
    '"AUTH" "(redacted)" "(redacted)"\r\n',
    '"MULTI"\r\n',
    '"GET" "k"\r\n',
    '"EXEC"\r\n',
    isEmbedded ? `"SET" "k" "${'v'.repeat(1024)}... (3976 more bytes)"\r\n` : `"SET" "k" "${'v'.repeat(5000)}"\r\n`,
  ]);
  await other.write(encode('RESET'));
  // A server shows it nobody who sends it.
  if (isEmbedded) expect(await rawReply(other)).toMatch(/"RESET"\r\n$/);
  expect(await rawReply(other)).toBe('+RESET\r\n');
  await call(one, 'SET', 'k', 'unseen');
  expect(await call(other, 'PING')).toBe('+PONG\r\n');
});
