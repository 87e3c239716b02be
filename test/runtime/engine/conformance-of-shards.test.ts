import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answeredByServers, type CommandRow, commandRows } from '../orchestrator/support/command-rows.js';
import { runPython, smartredisPython } from '../orchestrator/support/python.js';
import { modelFile, onnxRuntime } from '../orchestrator/support/start.js';
import { lackOfStore, orSkipped } from './support/lacks.js';
import { type StartedCluster, servers, startCluster } from './support/servers.js';
import { ShardRouter, type Word } from './support/shard-router.js';

/**
 * The tests of the embedded store on clusters. On three shards all of them, the keys of a file on one shard; on every number of shards each
 * command, sent where the slot of its keys says, and the smartredis package, which finds shards by itself.
 */
const able = servers.find(({ version }) => Number(version.split('.')[0]) >= 7);
const lacks = lackOfStore({ 'a server whose bus has a port of its own': able });
const found = await smartredisPython();
const python = 'python' in found ? found.python : '';
const model = fileURLToPath(new URL('../orchestrator/models/double.onnx', import.meta.url));

const all = Object.entries(commandRows).filter(([name]) => !answeredByServers.has(name));
/** Commands that have several words, and so perhaps keys. */
const several = all.filter(([, { request }]) => request.length > 1);

/** The same row with other names of keys: all begin with the tag, so that one shard has them. */
async function tagged(row: CommandRow, tag: string, router: ShardRouter): Promise<CommandRow> {
  const requests = [...row.before, row.request];
  const keys = new Set<string>();
  for (const words of requests) for (const key of await router.keysOf(words)) keys.add(key);
  const isPattern = (word: Word) => typeof word === 'string' && word.endsWith('*');
  const rename = (words: readonly Word[]) =>
    words.map((word) => (keys.has(String(word)) || isPattern(word) ? `${tag}${word}` : word));
  let { reply } = row;
  for (const key of keys) {
    const name = `${tag}${key}`;
    const [before, after] = [`$${key.length}\r\n${key}\r\n`, `$${name.length}\r\n${name}\r\n`];
    const inPattern = (text: string) => text.replaceAll('\r\n', '\\r\\n').replace(/^\$/, '\\$');
    reply =
      typeof reply === 'string'
        ? reply.replaceAll(before, after)
        : new RegExp(reply.source.replaceAll(inPattern(before), inPattern(after).replace(/[{}]/g, '\\$&')));
  }
  return { ...row, before: row.before.map(rename), request: rename(row.request), reply };
}

/**
 * Commands with a key of the shard that gets them and one of another shard, `near` and `far`: clients of clusters do not send them, or split
 * them. A shard takes them for its own keys, without an error, as SmartRedis wants it: it looks for keys such as `{}x` where Redis does not.
 */
const acrossShards: readonly (readonly [request: string, reply: string | RegExp, why: string])[] = [
  ['EXISTS near far', ':1\r\n', 'it counts its own keys'],
  ['MGET near far', '*2\r\n$1\r\n1\r\n$-1\r\n', 'it has the other one not'],
  ['DEL near far', ':1\r\n', 'the other one stays'],
  ['RENAME near far', '+OK\r\n', 'the value is here under the new name, where clients do not look for it'],
  ['KEYS *', '*1\r\n$4\r\nnear\r\n', 'it tells its own keys'],
  ['DBSIZE', ':1\r\n', 'it counts its own keys'],
  ['AI.TENSORGET far', '-ERR tensor key is empty or in a different shard\r\n', 'it has the other one not'],
  [
    'AI.DAGRUN LOAD 1 far |> AI.TENSORGET far',
    '-ERR tensor key is empty or in a different shard\r\n',
    'it has the other one not',
  ],
  ['AI.MODELEXECUTE model INPUTS 1 near OUTPUTS 1 y', '-ERR model key is empty\r\n', 'each shard has its own models'],
  ['AI._MODELSCAN', '*0\r\n', 'it tells its own models'],
  ['BLPOP far 9', /^-MOVED /, 'a server sends those who wait for keys of another shard there'],
];

if (lacks === '' && able !== undefined) {
  process.env['SIMWRIGHT_TEST_ENGINE'] = 'redis';
  process.env['SIMWRIGHT_TEST_SHARDS'] = '3';
  process.env['SIMWRIGHT_TEST_SERVER'] = able.path;
  describe('commands on three shards', async () => void (await import('../orchestrator/commands.test.js')));
  describe('models on three shards', async () => void (await import('../orchestrator/models.test.js')));
  describe('scripts and DAGs on three shards', async () =>
    void (await import('../orchestrator/scripts-and-dags.test.js')));
  describe('transactions on three shards', async () => void (await import('../orchestrator/transactions.test.js')));
  describe('clients on three shards', async () => void (await import('../orchestrator/python-client.test.js')));

  describe.each([2, 3, 7])('on %i shards', (count) => {
    let cluster: StartedCluster;
    let router: ShardRouter;
    beforeAll(async () => {
      cluster = await startCluster(able, count, {
        ...(onnxRuntime !== undefined && { onnxRuntime }),
        mapDevice: { 'GPU:0': 'CPU', 'GPU:1': 'CPU:1' },
      });
      router = await ShardRouter.connect(cluster.shards);
    });
    afterAll(async () => {
      router?.close();
      await cluster?.stop();
      expect(cluster?.log.filter((line) => line.startsWith('died'))).toEqual([]);
    });

    test.each(count === 3 ? all : several)('%s is answered by the shard of its keys', async (name, original) => {
      const tag = `{${name}}`;
      const row = await tagged(original, tag, router);
      const shard = router.shardOf(tag);
      for (const words of [['FLUSHALL'], ...row.before]) await router.sendTo(shard, words);
      const keys = await router.keysOf(row.request);
      expect(keys.map((key) => router.shardOf(key))).toEqual(keys.map(() => shard));
      const reply = await router.sendTo(shard, row.request);
      if (typeof row.reply === 'string') expect(reply).toBe(row.reply);
      else expect(reply).toMatch(row.reply);
      if (row.alone === true || row.ends === true) return router.reconnect(shard);
      const kept = await router.keysAt(shard);
      expect(kept.filter((key) => !key.startsWith(tag))).toEqual([]);
    });

    // Shards do not know of each other, be they two or seven.
    test.each(count === 3 ? acrossShards : [])('%s: %s, since %s', async (request, reply) => {
      const nameAt = (shard: number, name: string) =>
        Array.from({ length: 100 }, (_, at) => `{${at}}${name}`).find((key) => router.shardOf(key) === shard) ?? '';
      const [near, far] = [nameAt(0, 'near'), nameAt(1, 'far')];
      const store = ['AI.MODELSTORE', nameAt(1, 'model'), 'ONNX', 'CPU', 'BLOB', modelFile('double')];
      for (const shard of [0, 1]) await router.sendTo(shard, ['FLUSHALL']);
      for (const [shard, words] of [
        [0, ['SET', near, '1']],
        [1, ['SET', far, '2']],
        [1, store],
      ] as const)
        expect(await router.sendTo(shard, words)).toBe('+OK\r\n');
      const full = request.replaceAll('near', near).replaceAll('far', far).replace(' model', ` ${store[1]}`);
      const told = await router.sendTo(0, full.split(' '));
      expect(told.replace(`$${near.length}\r\n${near}`, '$4\r\nnear')).toEqual(
        typeof reply === 'string' ? reply : expect.stringMatching(reply),
      );
      expect((await router.keysAt(1)).sort()).toEqual([far, store[1]].sort());
    });

    test.skipIf(python === '')(
      `eight processes of the smartredis package at once${python === '' ? ` (skipped: ${'missing' in found ? found.missing : ''})` : ''}`,
      async () => {
        const outcomes = await Promise.all(
          Array.from({ length: 8 }, async (_, index) => {
            const name = `p${index}`;
            const env = {
              SSDB: cluster.address,
              SR_DB_TYPE: 'Clustered',
              SSKEYIN: name,
              SSKEYOUT: name,
              SR_SOCKET_TIMEOUT: '60000',
            };
            // Every second one calls every method, the others put and get by names of all shapes.
            if (index % 2 === 1) return (await runPython(python, 'smartredis_shards.py', [model], env)).trim();
            const words = [model, cluster.address, 'Clustered', name, 'with others'];
            const output = await runPython(python, 'smartredis_client.py', words, env);
            return (JSON.parse(output.trim().split('\n').at(-1) ?? '') as { missing: string[] }).missing;
          }),
        );
        expect(outcomes).toEqual(
          outcomes.map((_, index) => (index % 2 === 1 ? 'all as it was put' : ['Client.flush_db'])),
        );
      },
    );
  });
} else {
  describe.skip(orSkipped('the commands on clusters', lacks), () => test('every command', () => undefined));
}
