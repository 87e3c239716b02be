import {
  cat,
  command,
  experiment,
  maximum,
  minimum,
  onesLike,
  type SymbolicTensor,
  stack,
  where,
  zerosLike,
} from 'simwright';
import { describe, expect, test } from 'vitest';
import { authoredExperiment } from '../../src/ir/index.js';
import { compileFunction, parseScript } from '../../src/torchscript/index.js';

type Traced = (...inputs: SymbolicTensor[]) => SymbolicTensor | readonly SymbolicTensor[];

const model = experiment('x').model('m', command('a'));

/** Declaration with the function of that name. */
function authored(name: string, traced: unknown, options?: object) {
  return (model.addFunction as (...words: unknown[]) => typeof model).call(model, name, traced, options)[
    authoredExperiment
  ];
}

/** TorchScript of a function called f. */
function textOf(traced: Traced, options?: object): string {
  const { declaration, problems } = authored('f', traced, options);
  expect(problems).toEqual([]);
  const [entity] = declaration.entities;
  const source = entity !== undefined && 'scripts' in entity ? entity.scripts[0]?.source : undefined;
  return source?.kind === 'text' ? source.text : '';
}

function problemsOf(name: string, traced: unknown, options?: object): string[] {
  const { problems } = authored(name, traced, options);
  return problems.map(({ code, message }) => `${code} ${message}`);
}

describe('a function of symbolic tensors', () => {
  test.each<[Traced, string]>([
    [(x) => x.mul(2).add(1), 'def f(x):\n    return x.mul(2).add(1)\n'],
    [(x) => x, 'def f(x):\n    return x\n'],
    [(x, y) => [x.add(y), y.sub(0.5)], 'def f(x, y):\n    return x.add(y), y.sub(0.5)\n'],
    [
      (x) => {
        const centred = x.sub(x.mean({ dims: 0 }));
        return centred.div(centred.std());
      },
      'def f(x):\n    t1 = x.sub(x.mean(dim=0))\n    return t1.div(t1.std())\n',
    ],
    [
      (x, y, z) => where(x.gt(0).and(y.le(Number.POSITIVE_INFINITY)), z.slice(-1, 1, -1), 0),
      "def f(x, y, z):\n    return torch.where(x.gt(0).logical_and(y.le(float('inf'))), z[..., 1:-1], 0)\n",
    ],
    [
      (a, b, c, d) =>
        cat([a, b, stack([c, d], 1)])
          .reshape(-1, 2)
          .to('INT64'),
      'def f(x1, x2, x3, x4):\n    return torch.cat([x1, x2, torch.stack([x3, x4], 1)], 0).reshape([-1, 2]).to(torch.int64)\n',
    ],
  ])('%s is written down as TorchScript', (traced, text) => {
    expect(textOf(traced)).toBe(text);
  });

  test('takes as many inputs as an option says', () => {
    const sum: Traced = (...tensors) => tensors.reduce((total, each) => total.add(each));
    expect(textOf(sum, { inputs: 3 })).toBe('def f(x, y, z):\n    return x.add(y).add(z)\n');
    expect(problemsOf('f', sum)).toEqual(['DSL1013 .addFunction(): the function takes no tensors']);
    expect(problemsOf('f', sum, { inputs: 0 })).toHaveLength(2);
  });

  test('has operations that each compile without PyTorch', () => {
    const every: Traced = (x, y) => [
      x.add(y).sub(1).mul(y).div(2).floorDivide(3).remainder(y).pow(2).neg().abs().sign(),
      x.sqrt().square().exp().log().sin().cos().tan().tanh().sigmoid().relu().floor().ceil().round(),
      x.clamp({ min: -1, max: 1 }).clamp({ min: 0 }).eq(y).or(x.ne(y)).and(x.lt(y)).not(),
      x.ge(0).any(),
      x.gt(0).all(1),
      x.le(y).any(0),
      x.sum(),
      x.sum({ dims: [0, 1], keepDims: true }),
      x.mean({ keepDims: true }),
      x.std({ dims: 1, unbiased: false }),
      x.max(),
      x.min({ dims: -1 }),
      x.argmax(),
      x.argmin(1),
      x.norm(),
      x.norm({ dims: 0, keepDims: true }),
      x.cumsum(0),
      x.softmax(1),
      x.logSoftmax(-1),
      x.matmul(y.transpose(0, 1)),
      x.reshape(-1).unsqueeze(0).squeeze().squeeze(0),
      x.flatten(),
      x.permute(1, 0).transpose(0, 1),
      x.slice(0, 0, 1).expand(3, -1),
      x.select(1, -1),
      x.slice(1, 0, undefined, 2),
      x.slice(-2, 1),
      x.flip(0, 1),
      x.roll(1, 0),
      cat([x, y], 1),
      stack([x, y]),
      where(x.gt(y), x, y),
      maximum(x, y),
      minimum(x, y),
      zerosLike(x),
      onesLike(y),
      x.to('BOOL'),
    ];
    const text = textOf(every);
    const inputs = [
      { dtype: 'FLOAT' as const, shape: [3, 4] },
      { dtype: 'FLOAT' as const, shape: [3, 4] },
    ];
    const script = parseScript(text);
    expect(script.outside).toEqual([]);
    const outputs = countOf(every);
    expect(outputs).toBeGreaterThan(30);
    const call = { name: 'f', isEntryPoint: false, inputs, keys: [], args: [], outputs };
    expect(compileFunction(script, call).length).toBeGreaterThan(1000);
  });

  test.each<[string, unknown, RegExp]>([
    ['a text', 'def f(x): return x', /is no function/],
    ['a function that returns a text', (_x: unknown) => 'def f(x): return x', /the function returned 'def f/],
    ['one that returns a number', (_x: unknown) => 7, /the function returned 7/],
    ['one that returns nothing', (_x: unknown) => {}, /the function returned undefined/],
    ['one that returns an empty list', (_x: unknown) => [], /an empty list/],
    ['one that returns a list with a number', (x: SymbolicTensor) => [x, 3], /3 in a list/],
    ['one that waits', async (x: SymbolicTensor) => x, /a promise/],
    ['a tensor as a number', (x: SymbolicTensor) => x.add(+(x as never)), /a symbolic tensor is no number/],
    ['a tensor compared', (x: SymbolicTensor) => ((x as never) > 0 ? x : x.neg()), /a symbolic tensor is no number/],
    ['a tensor in a text', (x: SymbolicTensor) => x.add(Number(`${x}`)), /a symbolic tensor is no number/],
    ['a loop over a tensor', (x: SymbolicTensor) => [...(x as never as SymbolicTensor[])], /cannot be iterated/],
    ['an if', (x: SymbolicTensor) => (x.gt(0) ? x : x.neg()), /the result of \.gt\(\) is not used/],
    ['a dimension that is no integer', (x: SymbolicTensor) => x.reshape(1.5), /1.5 is no integer/],
    ['a text as an operand', (x: SymbolicTensor) => x.add('1' as never), /takes symbolic tensors and numbers/],
    ['a type that scripts lack', (x: SymbolicTensor) => x.to('STRING' as never), /has the type STRING/],
  ])('is refused: %s', (_what, traced, text) => {
    const problems = problemsOf('f', traced);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^DSL1013 \.addFunction\(\): /);
    expect(problems[0]).toMatch(text);
  });

  test('is refused with the place in the function', () => {
    const traced = (x: SymbolicTensor) => {
      const condition = x.gt(0);
      return condition ? x : x.neg();
    };
    const { problems } = authored('f', traced);
    const line = Number(/functions\.test\.ts:(\d+)/.exec(new Error().stack ?? '')?.[1]);
    expect(problems[0]?.at?.line).toBe(line - 4);
  });

  test.each(['my-fn', '1st', 'return', 'torch', ''])("cannot be called '%s'", (name) => {
    expect(problemsOf(name, (x: SymbolicTensor) => x)).toHaveLength(1);
  });

  test('cannot use a tensor of another one', () => {
    let other: SymbolicTensor | undefined;
    textOf((x) => {
      other = x;
      return x;
    });
    expect(problemsOf('f', (x: SymbolicTensor) => x.add(other as SymbolicTensor))[0]).toMatch(
      /tensors of two functions/,
    );
    expect(problemsOf('f', (_x: SymbolicTensor) => other)[0]).toMatch(/a tensor of another function/);
  });
});

/** Number of a function's outputs. */
function countOf(traced: Traced): number {
  let count = 0;
  textOf((x, y) => {
    const outputs = traced(x as SymbolicTensor, y as SymbolicTensor);
    count = Array.isArray(outputs) ? outputs.length : 1;
    return outputs;
  });
  return count;
}
