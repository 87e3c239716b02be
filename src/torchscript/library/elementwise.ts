import type { Graph, GraphValue } from '../onnx/graph.js';
import { cast } from '../onnx/kernels.js';
import type { TensorDtype } from '../onnx/tensor-types.js';
import { failed } from '../problem.js';
import * as arithmetic from '../tensors/arithmetic.js';
import { apply, choose, elements, expand, filled, type Operand, scalar } from '../tensors/basics.js';
import { broadcast } from '../tensors/shapes.js';
import { unaries, unaryAliases } from '../tensors/unary.js';
import { checkCast, isFloat, resultType } from '../values/dtypes.js';
import { Tensor } from '../values/tensor.js';
import type { NumberValue } from '../values/value.js';
import type { Given } from './given.js';
import { both, func, method, type Operation } from './operation.js';

/** Writes a result into a tensor, in its type. @throws Refusal if type or shape do not fit */
export function assignResult(graph: Graph, tensor: Tensor, value: GraphValue): Tensor {
  checkCast(value.dtype, tensor.dtype);
  if (String(broadcast(value.shape, tensor.shape)) !== String(tensor.shape)) {
    throw failed(
      `output with shape [${tensor.shape.join(', ')}] doesn't match the broadcast shape [${broadcast(value.shape, tensor.shape).join(', ')}]`,
    );
  }
  if (!tensor.isWritable) throw failed('a tensor whose elements are shown several times cannot be written to');
  tensor.assign(expand(graph, cast(graph, value, tensor.dtype), tensor.shape));
  return tensor;
}

/** The operation and the one with `_` that writes into its first argument. */
function withInPlace(schema: string, run: (graph: Graph, given: Given) => GraphValue): Operation[] {
  const inPlace = schema.replace('(', '_(');
  return [
    both(schema, run),
    method(inPlace, (graph, given) => assignResult(graph, given.tensor('self'), run(graph, given))),
  ];
}

function binary(names: readonly string[], of: arithmetic.Arithmetic): Operation[] {
  return names.flatMap((name) =>
    ['Tensor', 'Scalar'].flatMap((type) =>
      withInPlace(`${name}(Tensor self, ${type} other)`, (graph, given) =>
        of(graph, given.tensor('self'), given.operand('other')),
      ),
    ),
  );
}

/** Addition with a factor: self + alpha * other. */
function withAlpha(names: readonly string[], of: arithmetic.Arithmetic): Operation[] {
  return names.flatMap((name) =>
    ['Tensor', 'Scalar'].flatMap((type) =>
      withInPlace(`${name}(Tensor self, ${type} other, *, Scalar alpha=1)`, (graph, given) => {
        const other = given.operand('other');
        return of(graph, given.tensor('self'), scaled(graph, other, given.number('alpha')));
      }),
    ),
  );
}

function scaled(graph: Graph, operand: Operand, factor: NumberValue): Operand {
  if (factor === 1n) return operand;
  if (operand instanceof Tensor) {
    // A factor keeps the type.
    return new Tensor(
      cast(
        graph,
        arithmetic.multiply(graph, operand, factor),
        resultType([operand, factor]) === 'FLOAT' ? resultType([operand, factor]) : operand.dtype,
      ),
    );
  }
  return typeof operand === 'bigint' && typeof factor === 'bigint'
    ? operand * factor
    : Number(operand) * Number(factor);
}

function division(graph: Graph, given: Given): GraphValue {
  const [one, other] = [given.tensor('self'), given.operand('other')];
  const rounding = given.any('rounding_mode');
  if (rounding === null) return arithmetic.divide(graph, one, other);
  if (rounding === 'floor') return arithmetic.floorDivide(graph, one, other);
  if (rounding === 'trunc') return arithmetic.truncDivide(graph, one, other);
  throw failed(`div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '${String(rounding)}'`);
}

function clamp(graph: Graph, given: Given): GraphValue {
  const self = given.tensor('self');
  const bounds = ['min', 'max'].map((name) => (given.has(name) ? given.operand(name) : undefined));
  if (bounds.every((bound) => bound === undefined)) {
    throw failed("torch.clamp: At least one of 'min' or 'max' must not be None");
  }
  const dtype = resultType([self, ...bounds.filter((bound) => bound !== undefined)]);
  let value = cast(graph, self.value, dtype);
  const [low, high] = bounds.map((bound) => (typeof bound === 'bigint' ? within(bound, dtype) : bound));
  if (low !== undefined) value = apply(graph, 'Max', [value, elements(graph, low, dtype)]);
  return high === undefined ? value : apply(graph, 'Min', [value, elements(graph, high, dtype)]);
}

/** A bound in a type's range, beyond which it bounds nothing. */
function within(bound: bigint, dtype: TensorDtype): bigint {
  const bits = { UINT8: 8, INT8: 8, INT16: 16, INT32: 32 }[dtype as string];
  if (bits === undefined) return bound;
  const [least, most] = dtype === 'UINT8' ? [0n, 255n] : [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n];
  return bound < least ? least : bound > most ? most : bound;
}

function where(graph: Graph, given: Given): GraphValue {
  const [one, other] = [given.operand('self'), given.operand('other')];
  const condition = given.tensor('condition');
  if (condition.dtype !== 'BOOL' && condition.dtype !== 'UINT8') {
    throw failed('where expected condition to be a boolean tensor');
  }
  const dtype = resultType([one, other]);
  const mask = cast(graph, condition.value, 'BOOL');
  return choose(graph, mask, elements(graph, one, dtype), elements(graph, other, dtype));
}

/** Adds to tensors their weighted difference. */
function lerp(graph: Graph, given: Given): GraphValue {
  const [start, end] = [given.tensor('self'), given.tensor('end')];
  floats(start);
  floats(end);
  const difference = new Tensor(arithmetic.subtract(graph, end, start));
  return arithmetic.add(graph, start, new Tensor(arithmetic.multiply(graph, difference, given.operand('weight'))));
}

function combined(of: arithmetic.Arithmetic) {
  return (graph: Graph, given: Given): GraphValue => {
    if (given.tensor('self').dtype === 'BOOL') throw failed('"addcmul_cpu_out" not implemented for \'Bool\'');
    const inner = new Tensor(of(graph, given.tensor('tensor1'), given.tensor('tensor2')));
    return arithmetic.add(graph, given.tensor('self'), scaled(graph, inner, given.number('value')));
  };
}

const comparisons = {
  eq: 'Equal',
  ne: 'NotEqual',
  lt: 'Less',
  gt: 'Greater',
  le: 'LessOrEqual',
  ge: 'GreaterOrEqual',
} as const;
const otherNames: Readonly<Record<string, string>> = {
  ne: 'not_equal',
  lt: 'less',
  gt: 'greater',
  le: 'less_equal',
  ge: 'greater_equal',
};

function unaryOperations(): Operation[] {
  const names = [...Object.keys(unaries).map((name) => [name, name]), ...Object.entries(unaryAliases)];
  return names.flatMap(([name, of]) =>
    withInPlace(`${name}(Tensor self)`, (graph, given) => {
      const run = unaries[of as string];
      return run?.(graph, given.tensor('self').value) as GraphValue;
    }),
  );
}

/** Operations of elements by themselves. */
export const elementwise: readonly Operation[] = [
  ...unaryOperations(),
  ...withAlpha(['add'], arithmetic.add),
  ...withAlpha(['sub', 'subtract'], arithmetic.subtract),
  ...['Tensor', 'Scalar'].map((type) =>
    both(`rsub(Tensor self, ${type} other)`, (graph, given) =>
      arithmetic.subtract(graph, given.operand('other'), given.tensor('self')),
    ),
  ),
  ...binary(['mul', 'multiply'], arithmetic.multiply),
  ...binary(['true_divide'], arithmetic.divide),
  ...['div', 'divide'].flatMap((name) =>
    ['Tensor', 'Scalar'].flatMap((type) =>
      withInPlace(`${name}(Tensor self, ${type} other, *, str? rounding_mode=None)`, division),
    ),
  ),
  ...binary(['floor_divide'], arithmetic.floorDivide),
  ...binary(['remainder'], arithmetic.remainder),
  ...binary(['fmod'], arithmetic.fmod),
  ...['Tensor', 'Scalar'].flatMap((type) =>
    withInPlace(`pow(Tensor self, ${type} exponent)`, (graph, given) =>
      arithmetic.power(graph, given.tensor('self'), given.operand('exponent')),
    ),
  ),
  func('pow(Scalar self, Tensor exponent)', (graph, given) =>
    arithmetic.power(graph, given.number('self'), given.tensor('exponent')),
  ),
  ...Object.entries(comparisons).flatMap(([name, operator]) =>
    binary([name, ...(otherNames[name] === undefined ? [] : [otherNames[name]])], arithmetic.compare(operator)),
  ),
  ...(['And', 'Or', 'Xor'] as const).flatMap((operator) => [
    both(`logical_${operator.toLowerCase()}(Tensor self, Tensor other)`, (graph, given) =>
      arithmetic.logical(operator)(graph, given.tensor('self'), given.tensor('other')),
    ),
    ...binary([`bitwise_${operator.toLowerCase()}`], arithmetic.bitwise(operator)),
  ]),
  ...['maximum', 'max'].map((name) =>
    both(`${name}(Tensor self, Tensor other)`, (graph, given) =>
      arithmetic.extreme('Max')(graph, given.tensor('self'), given.tensor('other')),
    ),
  ),
  ...['minimum', 'min'].map((name) =>
    both(`${name}(Tensor self, Tensor other)`, (graph, given) =>
      arithmetic.extreme('Min')(graph, given.tensor('self'), given.tensor('other')),
    ),
  ),
  both('atan2(Tensor self, Tensor other)', (graph, given) =>
    arithmetic.atan2(graph, given.tensor('self'), given.tensor('other')),
  ),
  both('hypot(Tensor self, Tensor other)', (graph, given) => {
    const [one, other] = [given.tensor('self'), given.tensor('other')];
    floats(one);
    floats(other);
    const squares = [one, other].map((each) => new Tensor(arithmetic.multiply(graph, each, each)));
    return apply(graph, 'Sqrt', [arithmetic.add(graph, squares[0] as Tensor, squares[1] as Tensor)]);
  }),
  ...['clamp', 'clip'].flatMap((name) => [
    ...withInPlace(`${name}(Tensor self, Scalar? min=None, Scalar? max=None)`, clamp),
    ...withInPlace(`${name}(Tensor self, Tensor? min=None, Tensor? max=None)`, clamp),
  ]),
  ...withInPlace('clamp_min(Tensor self, Scalar min)', (graph, given) => clamp(graph, given)),
  ...withInPlace('clamp_max(Tensor self, Scalar max)', (graph, given) => clamp(graph, given)),
  ...['Tensor', 'Scalar'].flatMap((one) =>
    ['Tensor', 'Scalar'].map((other) => func(`where(Tensor condition, ${one} self, ${other} other)`, where)),
  ),
  ...['Tensor', 'Scalar'].map((other) => method(`where(Tensor self, Tensor condition, ${other} other)`, where)),
  ...['Tensor', 'Scalar'].flatMap((type) =>
    withInPlace(`masked_fill(Tensor self, Tensor mask, ${type} value)`, (graph, given) => {
      const self = given.tensor('self');
      return choose(graph, given.tensor('mask').value, elements(graph, given.operand('value'), self.dtype), self.value);
    }),
  ),
  ...['Scalar', 'Tensor'].map((type) => both(`lerp(Tensor self, Tensor end, ${type} weight)`, lerp)),
  both('addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1)', combined(arithmetic.multiply)),
  both('addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1)', combined(arithmetic.divide)),
  func('leaky_relu(Tensor self, Scalar negative_slope=0.01)', (graph, given) => {
    const { value } = given.tensor('self');
    const slope = elements(graph, given.number('negative_slope'), value.dtype);
    const isBelow = apply(graph, 'Less', [value, scalar(graph, 0, value.dtype)], 'BOOL');
    return choose(graph, isBelow, apply(graph, 'Mul', [value, slope]), value);
  }),
  func('softplus(Tensor self)', (graph, given) => apply(graph, 'Softplus', [floats(given.tensor('self'))])),
  func('silu(Tensor self)', (graph, given) => {
    const value = floats(given.tensor('self'));
    return apply(graph, 'Mul', [value, apply(graph, 'Sigmoid', [value])]);
  }),
  func('gelu(Tensor self)', (graph, given) => {
    const value = floats(given.tensor('self'));
    const number = (n: number): GraphValue => scalar(graph, n, value.dtype);
    const erf = apply(graph, 'Erf', [apply(graph, 'Mul', [value, number(Math.SQRT1_2)])]);
    return apply(graph, 'Mul', [apply(graph, 'Mul', [value, number(0.5)]), apply(graph, 'Add', [erf, number(1)])]);
  }),
  method('fill_(Tensor self, Scalar value)', (graph, given) => {
    const self = given.tensor('self');
    self.assign(filled(graph, self.shape, given.number('value'), self.dtype));
    return self;
  }),
  method('zero_(Tensor self)', (graph, given) => {
    const self = given.tensor('self');
    self.assign(filled(graph, self.shape, 0n, self.dtype));
    return self;
  }),
  method('copy_(Tensor self, Tensor src)', (graph, given) => {
    const self = given.tensor('self');
    return assignResult(graph, self, cast(graph, given.tensor('src').value, self.dtype));
  }),
];

/** The tensor's elements, which must be floats. */
export function floats(tensor: Tensor): GraphValue {
  if (isFloat(tensor.dtype)) return tensor.value;
  throw failed('the operation is implemented for floating point types only');
}
