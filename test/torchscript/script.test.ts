import { describe, expect, test } from 'vitest';
import { checkScript, compileFunction, parseScript, ScriptError } from '../../src/torchscript/index.js';

/** The problem of a script's text, as one line. */
function problemOf(source: string): string {
  try {
    parseScript(source);
    return 'none';
  } catch (error) {
    if (!(error instanceof ScriptError)) throw error;
    return `${error.problem.kind} ${error.problem.line}:${error.problem.column} ${error.problem.message}`;
  }
}

/** The problem of a function's run on a FLOAT tensor of [2, 3]. */
function runProblemOf(source: string, name = 'f', outputs = 1): string {
  const inputs = [{ dtype: 'FLOAT' as const, shape: [2, 3] }];
  try {
    compileFunction(parseScript(source), { name, isEntryPoint: false, inputs, keys: [], args: [], outputs });
    return 'none';
  } catch (error) {
    return (error as Error).message;
  }
}

const needs = 'needs PyTorch, which the Python of this store does not have';

describe('a script', () => {
  test('tells its functions with their parameters', () => {
    const { functions } = parseScript(
      'def f(x, n: int, *, ts: List[Tensor]) -> Tensor:\n    return x\n\ndef g(t: Tuple[Tensor, Optional[float]]):\n    return t[0]\n',
    );
    expect([...functions]).toEqual([
      [
        'f',
        [
          { name: 'x', type: 'Tensor' },
          { name: 'n', type: 'int' },
          { name: 'ts', type: 'List[Tensor]' },
        ],
      ],
      ['g', [{ name: 't', type: 'Tuple[Tensor, Optional[float]]' }]],
    ]);
  });

  test.each([
    ['def f(x)\n    return x', 'syntax 1:9 invalid syntax at the end of the line'],
    ['def f(x):\n    y = \n    return x', 'syntax 2:9 invalid syntax at the end of the line'],
    ['def f(x):\n    return x $ 2', "syntax 2:14 invalid syntax near '$ 2'"],
    ['def f(x):\nreturn x', "syntax 2:1 invalid syntax near 'return x'"],
    ['    def f(x):\n        return x +\n', 'syntax 2:19 invalid syntax at the end of the line'],
    ['import torch\ndef f(x):\n    return x', 'syntax 1:1 a script consists of functions'],
    ['class A:\n    pass', 'syntax 1:1 a script consists of functions'],
    ['def f(x):\n    g = lambda y: y\n    return x', 'syntax 2:9 TorchScript has no lambda expression'],
    ['def f(x):\n    try:\n        pass\n    except:\n        pass', 'syntax 2:5 TorchScript has no try statement'],
    ['def f(x):\n    return {"a": x}', 'subset 2:12 a dictionary expression'],
    ['def f(x):\n    return x + y', 'failed 2:16 undefined value y'],
    ['def f(x, n=2):\n    return x', 'failed 1:10 Keyword arguments with defaults need to be type-hinted'],
    ['def f(x: Tensr):\n    return x', "failed 1:10 Unknown type name 'Tensr'"],
    ['def f(x):\n    return x\n\ndef f(y):\n    return y', 'failed 4:5 the function f is defined twice'],
    [`def f(x):\n    return ${'('.repeat(300)}x${')'.repeat(300)}`, 'syntax 2:207 the script is nested too deeply'],
  ])('%j is refused with the place', (source, problem) => {
    expect(problemOf(source)).toBe(problem);
  });

  test.each([
    ['def f(x):\n    """bad"""\n    return False', 'Function returned non-tensor valuesf'],
    ['def f(x):\n    print(x)', 'Function returned non-tensor valuesf'],
    ['def f(x):\n    return x, x', 'Function returned unexpected number of outputs - f'],
    ['def f(x):\n    return x.svd()', `the method 'svd' of tensors (line 2, column 14) ${needs}`],
    ['def f(x):\n    return torch.fft.fft(x)', `torch.fft (line 2, column 18) ${needs}`],
    [
      'def f(x):\n    return x[x > 0]',
      `a selection by a mask, whose size depends on values, (line 2, column 12) ${needs}`,
    ],
    ['def f(x):\n    return x.half()', `the type torch.float16 (line 2, column 14) ${needs}`],
    [
      'def f(x):\n    if x.sum() > 0:\n        return x\n    return -x',
      `a condition that depends on the tensors' values (line 2, column 5) ${needs}`,
    ],
    [
      'def f(x):\n    while True:\n        x = x + 1\n    return x',
      `a function of so many operations (line 3, column 13) ${needs}`,
    ],
    [
      'def f(x):\n    while True:\n        pass\n    return x',
      `a function of so many steps (line 2, column 11) ${needs}`,
    ],
    [
      'def g(x):\n    return x.view(7)\n\ndef f(x):\n    return g(x)',
      "shape '[7]' is invalid for input of size 6 (line 2, column 14)",
    ],
    [
      'def f(x):\n    return f(x)',
      "function 'f' is called recursively. Recursive calls are not supported (line 2, column 12)",
    ],
  ])('%j is refused when it runs', (source, message) => {
    expect(runProblemOf(source)).toBe(message);
  });

  test('is checked without being run: parts that need PyTorch', () => {
    const source = 'def f(x):\n    u, s, v = x.svd()\n    return torch.fft.fft(u), torch.relu(s), v.sum()\n';
    expect(checkScript(source)).toEqual([
      { kind: 'subset', message: "the method 'svd' of tensors", line: 2, column: 17 },
      { kind: 'subset', message: 'torch.fft.fft', line: 3, column: 22 },
    ]);
    expect(checkScript('def f(x):\n    return x.max(1)[0]\n')).toEqual([]);
    expect(checkScript('def f(x):\n    return (x\n')).toHaveLength(1);
  });

  test('compiles equal calls to equal bytes', () => {
    const script = parseScript('def f(x):\n    y = x[0]\n    y[1] = 2\n    return x.max(1)\n');
    const call = {
      name: 'f',
      isEntryPoint: false,
      inputs: [{ dtype: 'INT8' as const, shape: [2, 3] }],
      keys: [],
      args: [],
      outputs: 2,
    };
    expect(compileFunction(script, call)).toEqual(compileFunction(script, call));
  });
});
