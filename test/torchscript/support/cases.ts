import type { TensorDtype } from '../../../src/torchscript/index.js';
import type { Case, GivenTensor } from './pytorch.js';
import { randomNumbers, tensorOf } from './tensors.js';

const floats = ['FLOAT', 'DOUBLE'] as const;
const wholes = ['INT8', 'INT16', 'INT32', 'INT64', 'UINT8'] as const;
/** All types of elements. */
export const types: readonly TensorDtype[] = [...floats, ...wholes, 'BOOL'];

const random = randomNumbers(7);

/** A tensor of random elements, of both signs where the type has them. */
export function some(dtype: TensorDtype, shape: readonly number[], from = -4, to = 4): GivenTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const numbers = Array.from({ length: count }, () => {
    const number = from + random() * (to - from);
    if (dtype === 'BOOL') return number > (from + to) / 2 ? 1 : 0;
    if (dtype === 'UINT8') return Math.floor(Math.abs(number));
    return dtype === 'FLOAT' || dtype === 'DOUBLE' ? number : Math.floor(number);
  });
  return tensorOf(dtype, shape, numbers);
}

function expression(text: string, inputs: readonly GivenTensor[], name = text): Case {
  const parameters = ['x', 'y', 'z'].slice(0, inputs.length).join(', ');
  const label = `${name} of ${inputs.map(({ dtype, shape }) => `${dtype}[${shape.join()}]`).join(', ')}`;
  return { name: label, source: `def f(${parameters}):\n    return ${text}\n`, function: 'f', inputs };
}

/** Functions of one tensor that are run for all types. */
const unary = `
x + 1 | x - 2 | x * 3 | x / 2 | x // 2 | x % 3 | x ** 2 | -x | +x | 2 - x | 3 / (x + 10) | 7 // (x + 9) | 7 % (x + 9)
x + 1.5 | x * 0.5 | 2 ** x.abs() | x + True | x > 0 | x >= 1 | x < 0 | x <= -1 | x == 1 | x != 0 | 1 < x
x.abs() | torch.neg(x) | x.sign() | torch.sqrt(x.abs()) | x.exp() | torch.log(x.abs() + 1) | x.log2() | x.log10()
x.log1p() | x.expm1() | x.exp2() | x.sin() | x.cos() | x.tan() | torch.asin(x / 5) | torch.acos(x / 5) | x.atan() | x.asin()
x.sinh() | x.cosh() | x.tanh() | x.asinh() | torch.acosh(x.abs() + 1) | torch.atanh(x / 5) | x.sigmoid() | x.relu()
x.square() | x.floor() | x.ceil() | x.round() | x.trunc() | x.frac() | x.reciprocal() | torch.rsqrt(x.abs() + 1)
x.erf() | x.rad2deg() | x.deg2rad() | x.logical_not() | ~x | x.isnan() | x.isinf() | x.isfinite() | x.bitwise_not()
x & 3 | x | 1 ~OR | x ^ 5 | x << 1 | x >> 1
x.float() | x.double() | x.int() | x.long() | x.short() | x.char() | x.bool() | x.to(torch.float32) | x.to(torch.int64)
x.abs().byte() | x.to(x.device) | x.type(torch.float64) | x.to('cpu', torch.float64)
x.sum() | x.sum(0) | x.sum(1, keepdim=True) | x.sum(dim=[0, 1]) | x.sum(dtype=torch.float64) | x.sum(-1) | x.mean() | x.mean(0)
x.mean(1, True) | x.mean(dim=(0, 1)) | x.mean(dtype=torch.float32) | x.std() | x.std(0) | x.std(1, False) | x.std(0, True, True) | x.var()
x.var(dim=1, unbiased=False) | x.var(dim=1, correction=0) | torch.std(x, dim=[0, 1]) | torch.var_mean(x, 0) | x.prod() | x.prod(1)
x.max() | x.min() | x.max(1) | x.min(0) | x.max(1)[0] | x.max(1)[1] | x.max(dim=0, keepdim=True) | x.amax(1) | x.amin((0, 1)) | x.amax()
x.argmax() | x.argmin(1) | x.argmax(0, keepdim=True) | x.argmax(1) | x.all() | x.any() | x.all(1) | x.any(0, keepdim=True)
x.norm() | x.norm(1) | x.norm(2, 1) | x.norm(p=2, dim=[0], keepdim=True) | x.norm(3.0) | x.logsumexp(1) | x.cumsum(0) | x.cumsum(1)
x.softmax(1) | x.softmax(dim=0) | x.log_softmax(1) | torch.softmax(x, 1, dtype=torch.float64) | x.median() | x.sort(1)[0] | x.topk(2, 1)[0]
x.count_nonzero() | x.clamp(-1, 2) | x.clamp(min=0) | x.clamp(max=1.5) | x.clamp(0.5, 1.5) | torch.clip(x, 0, 1) | x.clamp_min(1)
x.unsqueeze(0) | x.unsqueeze(-1) | x.unsqueeze(0).squeeze(0) | x.squeeze() | x.permute(1, 0) | x.transpose(0, 1) | x.t() | x.T | x.mT
x.reshape(-1) | x.reshape(4, 3) | x.view(2, 6) | x.view([6, 2]) | x.flatten() | x.reshape(x.shape[1], x.size(0)) | x.contiguous().view(-1)
x[0] | x[-1] | x[1:] | x[:, 1] | x[:, 1:3] | x[::2] | x[:, ::3] | x[1, 2] | x[...] | x[..., 0] | x[None] | x[:, None, 1:] | x[-2:, -3:-1] | x[5:]
x[torch.tensor([0, 2, 0])] | x[:, torch.tensor([1, -1])] | x[torch.tensor([0, 1]), torch.tensor([2, 3])] | x[[0, 2]]
x.index_select(1, torch.tensor([3, 0])) | x.select(1, 2) | x.narrow(1, 1, 2) | x.gather(1, torch.tensor([[0, 1], [2, 3]])) | x.take(torch.tensor([0, 5]))
x.expand(2, 3, 4) | x[0].expand(5, -1) | x[:1].expand_as(x) | x.repeat(2, 1) | x.flip(0) | x.flip([0, 1]) | x.roll(1, 0) | x.roll([1, -1], [0, 1]) | x.roll(2)
x.tril() | x.triu(1) | x.diff() | x.diff(dim=0) | x.trace() | x.chunk(2, 1) | x.split(2) | x.split([1, 3], 1) | x.unbind(0) | x.movedim(0, 1)
torch.cat((x, x)) | torch.cat([x, x], 1) | torch.stack((x, x)) | torch.stack([x, x, x], 2) | torch.hstack((x, x)) | torch.vstack((x, x))
torch.zeros_like(x) | torch.ones_like(x) | torch.full_like(x, 3) | x.new_zeros(2) | x.new_full((2, 2), 7) | torch.empty_like(x) * 0
x @ x.t() | x.matmul(x[0]) | torch.mm(x, x.t()) | torch.mv(x, x[0]) | torch.dot(x[0], x[1]) | torch.outer(x[0], x[1]) | x[None].bmm(x.t()[None])
torch.einsum('ij,kj->ik', [x, x]) | torch.maximum(x, x.flip(0)) | torch.minimum(x, x[0]) | torch.max(x, x * 2) | torch.min(x, x.flip(1))
torch.where(x > 0, x, -x) | torch.where(x > 0, x, 0) | torch.where(x > 0, 1.0, 0.0) | torch.where(x > 0, x, 0.5) | x.masked_fill(x > 1, 0)
torch.logical_and(x > 0, x < 2) | (x > 0) & (x < 2) | (x > 0) | (x < -2) ~OR | torch.logical_xor(x, x > 1) | torch.eq(x, 1) | x.gt(0) | x.le(x.t().reshape(3, 4))
torch.fmod(x, 3) | torch.remainder(x, -3) | torch.div(x, 3, rounding_mode='floor') | torch.div(x, 3, rounding_mode='trunc') | x.floor_divide(-2) | x.true_divide(4)
x.mul(2).add(1) | x.add(x, alpha=2) | x.sub(1, alpha=3) | torch.rsub(x, 1) | torch.lerp(x, x * 2, 0.5) | x.addcmul(x, x, value=2) | torch.pow(x, 2) | torch.pow(2.0, x) | x.pow(0.5)
torch.tensor(torch.mean(x)).unsqueeze(0) | x * x.mean() | x / x.sum() | (x - x.mean()) / x.std() | x * x[0, 0] | x + x.sum().item() | float(x.sum()) * x | x.max().item() + x
torch.relu(x) * torch.sigmoid(x) | torch.atan2(x, x.flip(0) + 0.5) | torch.hypot(x, x + 1) | torch.dist(x, x + 1) | torch.kron(x, x[:1, :2]) | x.T.reshape(-1)
x if x.sum() > 0 else x * 2 | x.size(1) * x | x.numel() * x | x.dim() + x | len(x) * x | [x, x * 2] | (x, [x, x + 1]) | [r * 2 for r in x] | x.is_floating_point() * x
torch.cross(x[:, :3], x[:, 1:4] * 2, dim=0) | torch.nn.functional.relu(x) | x.new_ones((1, 2)) | torch.linspace(0, 1, 5) | torch.arange(5) + x[0, 0] | torch.arange(0, 1, 0.25) | torch.eye(3)
torch.full((2, 2), 1.5) | torch.full([2], 3) | torch.zeros(2, 3) | torch.ones((2,), dtype=torch.int32) | torch.tensor([1, 2, 3]) | torch.tensor([[1.0, 2.5]]) | torch.tensor(True) | torch.tensor([1, 2], dtype=torch.float64)
`;

/** Splits the table above; `~OR` marks an entry that has the operator | itself. */
function entries(table: string): string[] {
  const parts = table.split(/\n| \| /).map((part) => part.trim());
  const joined: string[] = [];
  for (const part of parts) {
    if (part === '') continue;
    if (part.endsWith('~OR')) joined.push(`${joined.pop()} | ${part.slice(0, -3).trim()}`);
    else joined.push(part);
  }
  return joined;
}

/** Double precision is lost where ONNX Runtime computes with floats only; a choice between two types cannot be made at run time. */
const excepted: ReadonlySet<string> = new Set(['x.erf() DOUBLE', 'x if x.sum() > 0 else x * 2 BOOL']);

/** Each with floats and integers, and with one of the other types in turn. */
const ofOne = entries(unary).flatMap((text, at) =>
  ['FLOAT' as const, 'INT64' as const, types[1 + (at % (types.length - 1))] as TensorDtype]
    .filter((dtype) => !excepted.has(`${text} ${dtype}`))
    .map((dtype) => expression(text, [some(dtype, [3, 4])])),
);

/** Operators of two tensors of all pairs of types, with and without dimensions. */
const ofTwo = ['x + y', 'x * y', 'x / y', 'x - y', 'x > y', 'torch.where(x > 0, x, y)', 'torch.maximum(x, y)'].flatMap(
  (text) =>
    types.flatMap((one) =>
      types.flatMap((other) => [
        expression(text, [some(one, [3, 4]), some(other, [4], 1, 4)]),
        ...(text === 'x + y' || text === 'x / y'
          ? [
              expression(text, [some(one, [2, 2]), some(other, [], 1, 4)]),
              expression(text, [some(one, []), some(other, [2], 1, 4)]),
            ]
          : []),
      ]),
    ),
);

const nan = Number.NaN;
const inf = Number.POSITIVE_INFINITY;
const odd = tensorOf('FLOAT', [3, 4], [nan, -1, 2, 0, 1, nan, inf, 5, 3, 3, -inf, 3]);
const ofOddNumbers = entries(`
x.max() | x.min() | x.max(1) | x.min(0) | x.argmax(1) | x.argmin() | x.relu() | x.clamp(0, 1) | torch.maximum(x, x.flip(0)) | x.sign() | x > 0 | x == x | x.amax(0)
x.abs() | x.sum() | x.isnan() | x.isinf() | x.isfinite() | x.any() | x.all() | x.bool() | x.exp() | x.log1p() | x.expm1() | x.atan() | x.tanh() | x.softmax(1) | x // 2 | x % 2 | x.floor()
x.asinh() | x.median() | x.norm() | x.round() | x.sqrt() | x.logsumexp(1) | x.double().atan() | x.double().asinh() | x.double().log1p() | x.atan2(x.flip(0)) | x.trunc()
x / 0 | 0 / x | x * 0 | 1 // x | x % -2 | x // 0.0 | x % 0
`).map((text) => expression(text, [odd]));

const division = [
  'x // y',
  'x % y',
  'torch.fmod(x, y)',
  "torch.div(x, y, rounding_mode='trunc')",
  "torch.div(x, y, rounding_mode='floor')",
  'torch.remainder(x, y)',
].flatMap((text) =>
  [...wholes, ...floats].map((dtype) =>
    expression(text, [
      some(dtype, [40], -20, 20),
      tensorOf(
        dtype,
        [40],
        Array.from({ length: 40 }, (_, at) =>
          dtype === 'UINT8' ? 1 + (at % 5) : ([1, -1, 2, -3, 7][at % 5] as number),
        ),
      ),
    ]),
  ),
);

const shapes = entries(`
x.sum() | x.mean() | x.max() | x.squeeze() | x.flatten() | x.unsqueeze(0) | x + 1 | x.sum(0) | x[0] | x.permute(0) | x.t() | x.view(-1) | x.argmax() | x.max(0) | x.softmax(0) | x.std() | x.reshape(0) | torch.cat((x, x)) | torch.stack((x, x)) | len(x) + x | x.cumsum(0) | x.any()
`).flatMap((text) => [[], [0], [1], [3], [0, 3], [2, 0]].map((shape) => expression(text, [some('FLOAT', shape)])));

/** Expressions that PyTorch refuses. */
const refused = entries(`
x.view(5) | x.permute(0, 0) | x.sum(2) | x.max(-3) | x[3] | x[0, 0, 0] | x @ x | x.mm(x) | x + x.t() | torch.cat((x, x.t())) | torch.stack((x, x[0])) | x.squeeze(5) | x.transpose(0, 2) | x.expand(2, 2) | x.reshape(-1, -1)
x.unsqueeze(4) | x.size(2) | x.split([1, 1], 1) | x.narrow(0, 2, 2) | x.foo() | torch.foo(x) | y | x.mean(1.5) | torch.zeros(-1) | x.clamp() | x[torch.tensor([1.0])] | x.t().unsqueeze(0).t() | x.index_select(0, 1) | "a" + x | x.to(3.5) | x[0] = 1
`).map((text) => expression(text, [some('FLOAT', [3, 4])]));

function whole(source: string, name: string, inputs: readonly GivenTensor[]): Case {
  return {
    name: `${source.trim().replaceAll('\n', '; ').slice(0, 110)} of ${inputs.map(({ dtype }) => dtype).join()}`,
    source,
    function: name,
    inputs,
  };
}

const programs: readonly (readonly [source: string, name: string, inputs: readonly GivenTensor[]])[] = [
  ['def one_to_one(x):\n    return x.max(1)[0]\n', 'one_to_one', [some('INT64', [1, 5])]],
  [
    'def two_to_one(data_1, data_2):\n    merged = torch.cat((data_1, data_2))\n    return merged.max(1)[0]\n',
    'two_to_one',
    [some('INT64', [1, 5]), some('INT64', [1, 5])],
  ],
  [
    'def pre(inp):\n    mean = torch.zeros(1).float().to(inp.device)\n    mean[0] = 2.0\n    temp = inp.float() * mean\n    temp *= 1.0\n    return temp\n',
    'pre',
    [some('FLOAT', [3, 2])],
  ],
  [
    'def pre3(inp):\n    mean = torch.zeros(3).float().to(inp.device)\n    mean[0] = 0.485\n    mean[1] = 0.456\n    mean[2] = 0.406\n    std = torch.ones(3)\n    std[1] = 2.0\n    x = inp.float().unsqueeze(0).div(28).squeeze(0).permute(1, 0).sub(mean[0]).div(std[1])\n    return x.contiguous()\n',
    'pre3',
    [some('UINT8', [4, 5])],
  ],
  ['def post(output):\n    return output.max(1)[1]\n', 'post', [some('FLOAT', [4, 10])]],
  [
    'def bad_function(data):\n    """bad function for testing"""\n    return False\n',
    'bad_function',
    [some('FLOAT', [4])],
  ],
  ['        def test_func(param):\n            print(param)\n', 'test_func', [some('FLOAT', [4])]],
  ['def negate(x):\n    return torch.neg(x)\n', 'negate', [some('FLOAT', [2, 3])]],
  ['def timestwo(x):\n    return 2*x\n', 'timestwo', [some('DOUBLE', [2, 3])]],
  [
    'def scale(x, low: float, high: float):\n    return (x - low) / (high - low)\n\ndef norm(x):\n    return scale(x, x.min(), x.max())\n',
    'norm',
    [some('FLOAT', [5])],
  ],
  [
    'def speed(ux: Tensor, uy: Tensor) -> Tensor:\n    return torch.sqrt(ux*ux + uy*uy)\n',
    'speed',
    [some('FLOAT', [5]), some('FLOAT', [5])],
  ],
  [
    'def probe(a, b):\n    return torch.grid_sampler(a.double(), b.double(), 0, 0, False).squeeze()\n',
    'probe',
    [some('FLOAT', [1, 2, 6, 5]), some('FLOAT', [1, 4, 3, 2], -1.2, 1.2)],
  ],
  [
    'def up(x, dims: List[int]):\n    for d in dims:\n        x = torch.unsqueeze(x, d)\n    return x\n\ndef main(x, y):\n    return torch.stack((up(x, [0, 1]), up(y, [0, 0])), 2)\n',
    'main',
    [some('FLOAT', [5]), some('FLOAT', [5])],
  ],
  ['def f(x):\n    y = x\n    y += 1\n    return x, y\n', 'f', [some('FLOAT', [3])]],
  [
    'def f(x):\n    y = x[0]\n    y[1] = 9\n    x[:, 2] = y[0]\n    x[1][0] = 4\n    return x, y\n',
    'f',
    [some('FLOAT', [3, 4])],
  ],
  [
    'def f(x):\n    y = x.t()\n    y[0] = 7\n    y[1:, ::2] += 1\n    z = x.view(-1)\n    z[5] = -1\n    z[::4] *= 2\n    return x\n',
    'f',
    [some('INT32', [3, 4])],
  ],
  ['def f(x):\n    x[x > 1] = 0\n    x[x < -1] += 5\n    return x\n', 'f', [some('FLOAT', [3, 4])]],
  [
    'def f(x):\n    x[torch.tensor([0, 2])] = x[torch.tensor([2, 0])]\n    x[:, torch.tensor([1])] = 3\n    x[torch.tensor([0, 1]), torch.tensor([3, 2])] = -8\n    return x\n',
    'f',
    [some('FLOAT', [3, 4])],
  ],
  [
    'def f(x):\n    x[..., 1:] = x[..., :-1].clone()\n    x[None, 0] = x[0] * 2\n    x[2] = torch.arange(4)\n    return x\n',
    'f',
    [some('FLOAT', [3, 4])],
  ],
  [
    'def f(x):\n    if x.dim() > 1 and x.size(0) == 3:\n        y = x.sum(0)\n    elif x.dim() == 1:\n        y = x\n    else:\n        y = -x\n    return y\n',
    'f',
    [some('FLOAT', [3, 4])],
  ],
  [
    'def f(x):\n    out = torch.zeros_like(x)\n    i = 0\n    while i < x.size(0):\n        if i == 1:\n            i += 1\n            continue\n        out[i] = x[i] * i\n        i += 1\n        if i > 7:\n            break\n    return out\n',
    'f',
    [some('FLOAT', [3, 4])],
  ],
  [
    'def f(x):\n    parts: List[Tensor] = []\n    for i, row in enumerate(x):\n        parts.append(row * i)\n    for a, b in zip(parts, parts):\n        parts[0] = a + b\n    return torch.stack(parts, dim=1), len(parts) * x\n',
    'f',
    [some('FLOAT', [3, 4])],
  ],
  [
    'def helper(x, k: int = 2, flag: bool = False, scale: float = 0.5) -> Tuple[Tensor, Tensor]:\n    if flag:\n        return x * k, x\n    return x, x * scale\n\ndef f(x):\n    a, b = helper(x)\n    c, d = helper(x, 3, flag=True)\n    return a + c, b - d\n',
    'f',
    [some('FLOAT', [3, 4])],
  ],
  [
    'def f(x):\n    a = -2 ** 2\n    b = 7 // -2\n    c = -7 % 3\n    d = 7 / 2\n    e = 2 ** -1\n    g = 5 & 3 | 8 ^ 1\n    return x + a + b + c + d + e + g + (1 << 4) + (-9 >> 1)\n',
    'f',
    [some('FLOAT', [3])],
  ],
  [
    'def f(x):\n    k = True or False and False\n    if k:\n        return x\n    return -x\n',
    'f',
    [some('FLOAT', [3])],
  ],
  ['def f(x):\n    if not x.size(0) == 3 or x is None:\n        return -x\n    return x\n', 'f', [some('FLOAT', [3])]],
  [
    'def f(x):\n    s = x.shape\n    n = s[0] * s[1]\n    return x.view(n) * (n - 1) + min(s[0], 2) + max(1.5, 2.5) + abs(-3) + round(2.5)\n',
    'f',
    [some('FLOAT', [3, 4])],
  ],
  [
    'def f(x):\n    m = x.mean().item()\n    s = int(x.sum().item())\n    return x * m + s + float(m > 0) + (-m) % 2.0\n',
    'f',
    [some('FLOAT', [3, 4])],
  ],
  ['def f(x):\n    assert x.dim() == 2, "two"\n    return x\n', 'f', [some('FLOAT', [3])]],
  ['def f(x):\n    raise RuntimeError("boo")\n    return x\n', 'f', [some('FLOAT', [3])]],
  ['def f(x):\n    x += 1.5\n    return x\n', 'f', [some('INT64', [3])]],
  [
    'def f(x):\n    x.add_(1).mul_(2)\n    x.clamp_(0, 3)\n    x[0].fill_(7)\n    x[1:].zero_()\n    return x\n',
    'f',
    [some('INT64', [3])],
  ],
  ['def f(x):\n    return x // 0\n', 'f', [some('INT64', [3])]],
  ['def f(x, y):\n    return x // y\n', 'f', [some('INT64', [3]), tensorOf('INT64', [3], [1, 0, 2])]],
  ['def f(x, y):\n    return x % y\n', 'f', [some('INT32', [3]), tensorOf('INT32', [3], [1, 0, 2])]],
  ['def f(x):\n    return f(x)\n', 'f', [some('INT64', [3])]],
  ['def h(a: int):\n    return a\ndef f(x):\n    return x * h(2.0)\n', 'f', [some('INT64', [3])]],
  ['def h(a: int):\n    return a\ndef f(x):\n    return x * h(x.mean())\n', 'f', [some('FLOAT', [3])]],
  ['def h(a: float):\n    return a\ndef f(x):\n    return x * h(2)\n', 'f', [some('FLOAT', [3])]],
  ['def h(a):\n    return a\ndef f(x):\n    return x * h(2)\n', 'f', [some('FLOAT', [3])]],
  ['def f(x):\n    return x.size(0)\n', 'f', [some('FLOAT', [3])]],
  ['def f(x):\n    return undefined_name + x\n', 'f', [some('FLOAT', [3])]],
  ['def f(x)\n    return x\n', 'f', [some('FLOAT', [3])]],
  ['def f(x, n=2):\n    return x * n\n', 'f', [some('FLOAT', [3])]],
  ['import torch\ndef f(x):\n    return x\n', 'f', [some('FLOAT', [3])]],
  ['def f(x):\n    g = lambda a: a\n    return g(x)\n', 'f', [some('FLOAT', [3])]],
  [
    'def f(x):\n    vals, idx = x.max(1)\n    r = torch.min(x, dim=0)\n    return vals, idx, r.values, r.indices\n',
    'f',
    [some('FLOAT', [3, 4])],
  ],
  [
    'def f(x, y):\n    a, b = torch.broadcast_tensors([x, y])\n    g = torch.meshgrid([x, y[0]])\n    return a + b, g[0], g[1]\n',
    'f',
    [some('FLOAT', [3]), some('FLOAT', [2, 3])],
  ],
  [
    'def f(x):\n    n = x.size(0)\n    lap = torch.roll(x, 1, 0) + torch.roll(x, -1, 0) - 2 * x\n    inner = x[1:-1, 1:-1]\n    inner += lap[1:-1, 1:-1]\n    return x\n',
    'f',
    [some('DOUBLE', [5, 6])],
  ],
  ['def f(x):\n    # tabs\n\treturn x\n', 'f', [some('FLOAT', [3])]],
  ['def f(x):\n\tif x.dim() == 1:\n\t\treturn x\n\treturn -x\n', 'f', [some('FLOAT', [3])]],
  [
    'def f(x):\n    t = (x, 2, 3.5)\n    a, k, s = t\n    (b, c) = (a, k)\n    return b * c + s + t[1]\n',
    'f',
    [some('FLOAT', [3])],
  ],
  [
    'def f(x: Optional[Tensor]):\n    if x is None:\n        return torch.zeros(1)\n    return x\n',
    'f',
    [some('FLOAT', [3])],
  ],
  [
    'def f(x):\n    return torch.tensor([x.size(0), 2]) * 2.5, torch.tensor([1, 2.5]), torch.tensor([True, False])\n',
    'f',
    [some('FLOAT', [3])],
  ],
  [
    'def f(x):\n    d = x.dtype\n    if d == torch.float32:\n        return x.to(torch.int64)\n    return x.to(dtype=torch.float64)\n',
    'f',
    [some('INT8', [3])],
  ],
];

/** All functions that are compared with PyTorch. */
export const cases: readonly Case[] = [
  ...ofOne,
  ...ofTwo,
  ...ofOddNumbers,
  ...division,
  ...shapes,
  ...refused,
  ...programs.map(([source, name, inputs]) => whole(source, name, inputs)),
];
