import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { frameworksPython } from './support/python.js';
import { onnxRuntime, type Started, start } from './support/start.js';

const found = await frameworksPython();
const hosts = [
  { host: 'PyTorch', python: 'python' in found ? found.python : undefined },
  // There is no Python, hence no PyTorch.
  { host: 'ONNX Runtime', python: onnxRuntime === undefined ? undefined : '/nowhere/python3' },
];

const parameters = 'tensors: List[Tensor], keys: List[str], args: List[str]';
const source = `
def double(x):
    return 2 * x

def both(x, y):
    return x + y, [x - y]

def joined(x, more: List[Tensor]):
    return torch.cat([x] + more)

def helper(x, factor: float):
    return x * factor

def number(x):
    return 7

def entry(${parameters}):
    return tensors[0] * int(args[0]) + len(keys)

def divided(x, y):
    return x // y
`;

describe.each(hosts)('scripts run by $host', ({ host, python }) => {
  describe.skipIf(python === undefined)(python === undefined ? `(skipped: no ${host})` : '', () => {
    let started: Started;
    let redis: Redis;
    beforeAll(async () => {
      started = await start({ python: python as string, intraOpThreads: 1 });
      redis = new Redis(started.port);
    });
    afterAll(async () => {
      redis?.disconnect();
      await started?.stop();
    });
    beforeEach(async () => {
      await redis.flushall();
      await call('AI.SCRIPTSTORE', 's', 'CPU', 'ENTRY_POINTS', '1', 'entry', 'SOURCE', source);
      await call('AI.TENSORSET', 'x', 'FLOAT', '2', 'VALUES', '1', '2');
      await call('AI.TENSORSET', 'y', 'FLOAT', '2', 'VALUES', '10', '20');
      await call('AI.TENSORSET', 'n', 'INT32', '2', 'VALUES', '7', '-7');
      await call('AI.TENSORSET', 'z', 'INT32', '2', 'VALUES', '2', '0');
    });

    type Words = readonly string[];
    const call = (...[first, ...rest]: Words) => redis.call(first as string, ...rest);
    const values = (key: string) => call('AI.TENSORGET', key, 'VALUES');
    const refusal = (...words: Words) =>
      call(...words).then(
        (reply) => `no error but ${JSON.stringify(reply)}`,
        (error: Error) => error.message,
      );
    const split = (text: string): Words => text.split(' ');

    test('functions take tensors, and a list of what is left', async () => {
      expect(await call(...split('AI.SCRIPTRUN s double INPUTS x OUTPUTS a'))).toBe('OK');
      expect(await values('a')).toEqual(['2', '4']);
      await call(...split('AI.SCRIPTEXECUTE s both INPUTS 2 x y OUTPUTS 2 a b TIMEOUT 60000'));
      expect([await values('a'), await values('b')]).toEqual([
        ['11', '22'],
        ['-9', '-18'],
      ]);
      await call(...split('AI.SCRIPTRUN s joined INPUTS x $ y x OUTPUTS c'));
      expect(await values('c')).toEqual(['1', '2', '10', '20', '1', '2']);
      await call(...split('AI.SCRIPTRUN s double TIMEOUT 60000 INPUTS n y OUTPUTS d'));
      expect(await values('d')).toEqual([14, -14]);
    });

    test('entry points take tensors, keys and arguments', async () => {
      await call(...split('AI.SCRIPTEXECUTE s entry KEYS 2 k l INPUTS 1 x ARGS 1 3 OUTPUTS 1 a'));
      expect(await values('a')).toEqual(['5', '8']);
      await call(...split('AI.SCRIPTEXECUTE s entry INPUTS 1 x ARGS 1 4 OUTPUTS 1 a'));
      expect(await values('a')).toEqual(['4', '8']);
    });

    test('steps of DAGs are functions, too', async () => {
      const dag = 'LOAD 1 x PERSIST 1 b TIMEOUT 60000 |> AI.SCRIPTEXECUTE s double INPUTS 1 x OUTPUTS 1 a';
      const step = '|> AI.SCRIPTEXECUTE s entry ARGS 1 5 INPUTS 1 a OUTPUTS 1 b |> AI.TENSORGET b VALUES';
      expect(await call('AI.DAGEXECUTE', ...split(`${dag} ${step}`))).toEqual(['OK', 'OK', ['10', '20']]);
      expect(await values('b')).toEqual(['10', '20']);
      const old = 'LOAD 1 x |> AI.SCRIPTRUN s double INPUTS x OUTPUTS a |> AI.TENSORGET a VALUES';
      expect(await call('AI.DAGRUN', ...split(old))).toEqual(['OK', ['2', '4']]);
      expect(await redis.exists('a')).toBe(0);
    });

    test.each([
      ['AI.SCRIPTRUN s none INPUTS x OUTPUTS a', 'Function does not exist: none'],
      ['AI.SCRIPTRUN s both INPUTS x OUTPUTS a', 'Wrong number of inputs provided to function: both'],
      ['AI.SCRIPTRUN s helper INPUTS x y OUTPUTS a', 'Unsupported input type in function definition: helper'],
      ['AI.SCRIPTRUN s both INPUTS x y OUTPUTS a', 'Function returned unexpected number of outputs - both'],
      ['AI.SCRIPTRUN s number INPUTS x OUTPUTS a', 'Function returned non-tensor valuesnumber'],
      ['AI.SCRIPTRUN s divided INPUTS n z OUTPUTS a', /ZeroDivisionError/],
      ['AI.SCRIPTRUN s both INPUTS x c OUTPUTS a b', /size of tensor a \(2\) must match the size of tensor b \(3\)/],
      ['AI.SCRIPTRUN s double INPUTS u OUTPUTS a', 'Unsupported kUInt bits 16'],
    ])('%s fails, and is counted', async (words, text) => {
      await call(...split('AI.TENSORSET c FLOAT 3 VALUES 1 2 3'));
      await call(...split('AI.TENSORSET u UINT16 1 VALUES 1'));
      expect(await refusal(...split(words))).toMatch(text);
      expect(await redis.exists('a')).toBe(0);
      const info = (await call('AI.INFO', 's')) as unknown[];
      expect(info.slice(info.indexOf('samples'), info.indexOf('errors') + 2)).toEqual([
        'samples',
        -1,
        'calls',
        1,
        'errors',
        1,
      ]);
    });

    test.each([
      ['1', 'none', 'Function none does not exist in the given script.'],
      ['1', 'double', 'Wrong number of inputs in function double. Expected 3 but was 1'],
      ['1', 'three', `Wrong inputs type in function three. Expected signature similar to: def three(${parameters})`],
    ])('%s entry point %s is refused; what was there stays', async (count, name, text) => {
      const other = `${source}\ndef three(a, b, c):\n    return a\n`;
      expect(await refusal('AI.SCRIPTSTORE', 's', 'CPU', 'ENTRY_POINTS', count, name, 'SOURCE', other)).toBe(text);
      expect(await call('AI.SCRIPTGET', 's', 'SOURCE')).toBe(source);
    });

    test('a script that is none is refused when it is set', async () => {
      const text = await refusal('AI.SCRIPTSET', 'bad', 'CPU', 'SOURCE', 'def f(x:\n    return x\n');
      expect(text).not.toMatch(/^ERR|\n|no error/);
      expect(await redis.exists('bad')).toBe(0);
      expect(await refusal('AI.SCRIPTSET', 'bad', 'CPU', 'SOURCE', 'def f(x):\n    return y\n')).toMatch(
        /undefined value y/,
      );
    });

    test('functions are kept for shapes and types, and a copy of the script runs', async () => {
      await redis.copy('s', 't');
      await call('AI.SCRIPTDEL', 's');
      for (const length of [3, 4, 3, 70, 5]) {
        await call('AI.TENSORSET', 'v', 'INT64', String(length));
        await call(...split('AI.SCRIPTRUN t double INPUTS v OUTPUTS w'));
        expect(await values('w')).toHaveLength(length);
      }
    });

    test('set in a transaction, they are there when it ends', async () => {
      await redis.multi().call('AI.SCRIPTSET', 'm', 'CPU', 'SOURCE', source).call('AI.SCRIPTGET', 'm', 'SOURCE').exec();
      await call(...split('AI.SCRIPTRUN m double INPUTS x OUTPUTS a'));
      expect(await values('a')).toEqual(['2', '4']);
    });
  });
});
