import { afterAll, describe, expect, test } from 'vitest';
import { LendableBytes, ownBytes } from '../../../../src/runtime/orchestrator/bytes/lendable-bytes.js';
import { Inference } from '../../../../src/runtime/orchestrator/inference/index.js';
import { pythonWith } from '../support/frameworks.js';

const found = await pythonWith('TORCH');
const missing = 'missing' in found ? found.missing : '';

const source = `
    def helper(x, factor: float):
        return x * factor
    def twice(x):
        return helper(x, 2.0)
    def both(x, y):
        return x + y, [x - y]
    def joined(x, more: List[Tensor]):
        return torch.cat([x] + more)
    def entry(tensors: List[Tensor], keys: List[str], args: List[str]):
        return tensors[0] * int(args[0]) + len(keys)
    def number(x):
        return 7
    def half(x):
        return x.half()
`;

describe.skipIf(missing !== '')(`scripts run with PyTorch ${missing}`, () => {
  const inference = new Inference({ python: 'python' in found ? found.python : '', intraOpThreads: 1 });
  afterAll(() => inference.close());
  const loaded = () => inference.loadScript({ device: 'CPU', bytes: new LendableBytes(ownBytes(Buffer.from(source))) });
  const tensor = (...values: number[]) => ({
    dtype: 'FLOAT' as const,
    shape: [values.length],
    bytes: new LendableBytes(ownBytes(Buffer.from(new Float32Array(values).buffer))),
  });
  const call = { isEntryPoint: false, keys: [], args: [], outputs: 1 };
  const x = tensor(1, 2);
  const y = tensor(10, 20);

  test('functions take tensors, lists of them, and what entry points take', async () => {
    const script = await loaded();
    expect(script.functions.get('joined')).toEqual([
      { name: 'x', type: 'Tensor' },
      { name: 'more', type: 'List[Tensor]' },
    ]);
    const run = async (fn: string, inputs: (typeof x)[], more: Partial<typeof call> | object = {}) => {
      const { outputs } = await inference.runScript(script, { ...call, fn, ...more }, inputs);
      return outputs.map((output) => [...new Float32Array(output?.buffer as ArrayBuffer)]);
    };
    expect(await run('twice', [x])).toEqual([[2, 4]]);
    expect(await run('twice', [x, y])).toEqual([[2, 4]]);
    expect(await run('both', [x, y], { outputs: 2 })).toEqual([
      [11, 22],
      [-9, -18],
    ]);
    expect(await run('joined', [x, y, x])).toEqual([[1, 2, 10, 20, 1, 2]]);
    expect(await run('entry', [x], { isEntryPoint: true, keys: ['k'], args: ['3'] })).toEqual([[4, 7]]);
    const texts: [string, (typeof x)[], object, string][] = [
      ['none', [x], {}, 'Function does not exist: none'],
      ['both', [x], {}, 'Wrong number of inputs provided to function: both'],
      ['helper', [x, y], {}, 'Unsupported input type in function definition: helper'],
      ['both', [x, y], {}, 'Function returned unexpected number of outputs - both'],
      ['number', [x], {}, 'Function returned non-tensor valuesnumber'],
      ['half', [x], {}, 'output 1 has the type torch.float16'],
      ['twice', [{ ...x, dtype: 'UINT16', shape: [4] } as never], {}, 'Unsupported kUInt bits 16'],
      ['both', [x, tensor(1, 2, 3)], { outputs: 2 }, 'The size of tensor a (2) must match the size of tensor b (3)'],
    ];
    for (const [fn, inputs, more, text] of texts) await expect(run(fn, inputs, more)).rejects.toThrow(text);
    inference.unload(script);
  });

  test('a source that is no TorchScript is refused with the place', async () => {
    const bytes = new LendableBytes(ownBytes(Buffer.from('def f(x:\n  return x\n')));
    await expect(inference.loadScript({ device: 'CPU', bytes })).rejects.toThrow(/expected.*<--- HERE/);
  });
});
