import type { Graph, GraphValue } from '../onnx/graph.js';
import { cast } from '../onnx/kernels.js';
import type { TensorDtype } from '../onnx/tensor-types.js';
import { failed } from '../problem.js';
import { isFloat, resultType } from '../values/dtypes.js';
import { Tensor } from '../values/tensor.js';
import { isNumber } from '../values/value.js';
import { apply, choose, elements, type Operand, scalar } from './basics.js';

/** An operation of two operands: their elements in the result's type, before the operation itself. */
export type Arithmetic = (graph: Graph, one: Operand, other: Operand) => GraphValue;

function both(graph: Graph, one: Operand, other: Operand, dtype: TensorDtype): [GraphValue, GraphValue] {
  return [elements(graph, one, dtype), elements(graph, other, dtype)];
}

export const add: Arithmetic = (graph, one, other) => {
  const dtype = resultType([one, other]);
  return apply(graph, dtype === 'BOOL' ? 'Or' : 'Add', both(graph, one, other, dtype));
};

export const subtract: Arithmetic = (graph, one, other) => {
  const dtype = resultType([one, other]);
  if ([one, other].some((each) => each instanceof Tensor && each.dtype === 'BOOL')) {
    throw failed('Subtraction, the `-` operator, with a bool tensor is not supported');
  }
  return apply(graph, 'Sub', both(graph, one, other, dtype));
};

export const multiply: Arithmetic = (graph, one, other) => {
  const dtype = resultType([one, other]);
  return apply(graph, dtype === 'BOOL' ? 'And' : 'Mul', both(graph, one, other, dtype));
};

export const divide: Arithmetic = (graph, one, other) => {
  const dtype = resultType([one, other]);
  return apply(graph, 'Div', both(graph, one, other, isFloat(dtype) ? dtype : 'FLOAT'));
};

/** The remainder with the sign of the divisor, as Python's. */
export const remainder: Arithmetic = (graph, one, other) => {
  const dtype = numberType(resultType([one, other]));
  const [a, b] = both(graph, one, other, dtype);
  if (!isFloat(dtype))
    return byWhole(graph, a, b, (divisor) => mod(graph, a, divisor, false), scalar(graph, 0n, dtype));
  return withSignOf(graph, mod(graph, a, b, true), b);
};

/** The remainder with the sign of the dividend, as that of C. */
export const fmod: Arithmetic = (graph, one, other) => {
  const dtype = numberType(resultType([one, other]));
  const [a, b] = both(graph, one, other, dtype);
  if (isFloat(dtype)) return mod(graph, a, b, true);
  return byWhole(graph, a, b, (divisor) => mod(graph, a, divisor, true), scalar(graph, 0n, dtype));
};

/** The quotient rounded down. */
export const floorDivide: Arithmetic = (graph, one, other) => {
  const dtype = numberType(resultType([one, other]));
  const [a, b] = both(graph, one, other, dtype);
  if (!isFloat(dtype)) {
    const quotient = (divisor: GraphValue): GraphValue => {
      const rest = mod(graph, a, divisor, false);
      return apply(graph, 'Div', [apply(graph, 'Sub', [a, rest]), divisor]);
    };
    return byWhole(graph, a, b, quotient, apply(graph, 'Sub', [scalar(graph, 0n, dtype), a]));
  }
  const rest = withSignOf(graph, mod(graph, a, b, true), b);
  const quotient = apply(graph, 'Round', [apply(graph, 'Div', [apply(graph, 'Sub', [a, rest]), b])]);
  const isZero = apply(graph, 'Equal', [b, scalar(graph, 0, dtype)], 'BOOL');
  return choose(graph, isZero, apply(graph, 'Div', [a, b]), quotient);
};

/** The quotient rounded towards zero. */
export const truncDivide: Arithmetic = (graph, one, other) => {
  const dtype = numberType(resultType([one, other]));
  const [a, b] = both(graph, one, other, dtype);
  if (isFloat(dtype)) return truncated(graph, apply(graph, 'Div', [a, b]));
  const negative = apply(graph, 'Sub', [scalar(graph, 0n, dtype), a]);
  return byWhole(graph, a, b, (divisor) => apply(graph, 'Div', [a, divisor]), negative);
};

/** The float's whole part. */
export function truncated(graph: Graph, value: GraphValue): GraphValue {
  const isNegative = apply(graph, 'Less', [value, scalar(graph, 0, value.dtype)], 'BOOL');
  return choose(graph, isNegative, apply(graph, 'Ceil', [value]), apply(graph, 'Floor', [value]));
}

export const power: Arithmetic = (graph, one, other) => {
  const dtype = numberType(resultType([one, other]));
  if (!isFloat(dtype) && isNumber(other) && typeof other === 'bigint' && other < 0n) {
    throw failed('Integers to negative integer powers are not allowed.');
  }
  const [a, b] = both(graph, one, other, dtype);
  if (typeof other === 'bigint' && other === 2n) return apply(graph, 'Mul', [a, a]);
  return apply(graph, 'Pow', [a, b]);
};

/** Torch computes with booleans as with bytes only where it says so; here they are refused as there. */
function numberType(dtype: TensorDtype): TensorDtype {
  if (dtype === 'BOOL') throw failed("the operation is not implemented for 'Bool'");
  return dtype;
}

function mod(graph: Graph, a: GraphValue, b: GraphValue, isC: boolean): GraphValue {
  const shape = apply(graph, 'Add', [a, b]).shape;
  return graph.node('Mod', [a, b], { dtype: a.dtype, shape }, { fmod: isC ? 1n : 0n });
}

/** A remainder of floats brought to the sign of its divisor. */
function withSignOf(graph: Graph, rest: GraphValue, divisor: GraphValue): GraphValue {
  const zero = scalar(graph, 0, rest.dtype);
  const isRest = apply(graph, 'Not', [apply(graph, 'Equal', [rest, zero], 'BOOL')]);
  const differs = apply(graph, 'Xor', [
    apply(graph, 'Less', [divisor, zero], 'BOOL'),
    apply(graph, 'Less', [rest, zero], 'BOOL'),
  ]);
  return choose(graph, apply(graph, 'And', [isRest, differs]), apply(graph, 'Add', [rest, divisor]), rest);
}

/** Name of the node that fails where a whole number is divided by zero. */
export const zeroDivisionNode = 'ZeroDivisionError';

/**
 * A division of whole numbers. The processor traps at a zero, and at -1 below the smallest number: neither may reach it, so a zero ends the
 * run before, and -1 has its own result.
 */
function byWhole(
  graph: Graph,
  dividend: GraphValue,
  divisor: GraphValue,
  divided: (divisor: GraphValue) => GraphValue,
  byMinusOne: GraphValue,
): GraphValue {
  const known = divisor.constant?.map(Number);
  if (known?.includes(0) === true) throw failed('ZeroDivisionError');
  if (known !== undefined && !known.includes(-1)) return divided(divisor);
  const { dtype } = divisor;
  const one = scalar(graph, 1n, dtype);
  const isZero = apply(graph, 'Equal', [divisor, scalar(graph, 0n, dtype)], 'BOOL');
  const count = graph.node(
    'ReduceMax',
    [cast(graph, isZero, 'UINT8')],
    { dtype: 'UINT8', shape: [] },
    { keepdims: 0n },
  );
  const hasElements = !divisor.shape.includes(0);
  const guard = hasElements ? graph.guard(zeroDivisionNode, cast(graph, count, 'INT64'), dtype) : one;
  const isMinusOne =
    dtype === 'UINT8'
      ? graph.constant('BOOL', [], [0])
      : apply(graph, 'Equal', [divisor, scalar(graph, -1n, dtype)], 'BOOL');
  const safe = choose(graph, apply(graph, 'Or', [isZero, isMinusOne]), guard, divisor);
  return choose(graph, isMinusOne, cast(graph, byMinusOne, dividend.dtype), divided(safe));
}

/** A comparison, whose result is bool. */
export function compare(operator: string): Arithmetic {
  return (graph, one, other) => {
    const dtype = resultType([one, other]);
    const equal = operator === 'NotEqual';
    const result = apply(graph, equal ? 'Equal' : operator, both(graph, one, other, dtype), 'BOOL');
    return equal ? apply(graph, 'Not', [result]) : result;
  };
}

/** An operation of truth values. */
export function logical(operator: 'And' | 'Or' | 'Xor'): Arithmetic {
  return (graph, one, other) => apply(graph, operator, both(graph, one, other, 'BOOL'));
}

/** An operation of bits. */
export function bitwise(operator: 'And' | 'Or' | 'Xor'): Arithmetic {
  return (graph, one, other) => {
    const dtype = resultType([one, other]);
    if (isFloat(dtype)) throw failed(`"bitwise_${operator.toLowerCase()}_cpu" not implemented for floats`);
    return apply(graph, dtype === 'BOOL' ? operator : `Bitwise${operator}`, both(graph, one, other, dtype));
  };
}

/** The larger or smaller of two elements. */
export function extreme(operator: 'Max' | 'Min'): Arithmetic {
  return (graph, one, other) => apply(graph, operator, both(graph, one, other, resultType([one, other])));
}

/** The angle of the point (other, one). */
export const atan2: Arithmetic = (graph, one, other) => {
  const result = resultType([one, other]);
  const dtype = isFloat(result) ? result : 'FLOAT';
  const [y, x] = both(graph, one, other, dtype);
  const areInfinite = apply(graph, 'And', [infinite(graph, y), infinite(graph, x)]);
  // The angle between two infinities is that between two ones.
  const [ySign, xSign] = [y, x].map((each) => apply(graph, 'Sign', [each])) as [GraphValue, GraphValue];
  return angle(graph, choose(graph, areInfinite, ySign, y), choose(graph, areInfinite, xSign, x));
};

function angle(graph: Graph, y: GraphValue, x: GraphValue): GraphValue {
  const { dtype } = y;
  const zero = scalar(graph, 0, dtype);
  const half = scalar(graph, Math.PI / 2, dtype);
  const whole = scalar(graph, Math.PI, dtype);
  const up = apply(graph, 'Sub', [zero, half]);
  const isUp = apply(graph, 'GreaterOrEqual', [y, zero], 'BOOL');
  const plain = arcTangent(graph, apply(graph, 'Div', [y, x]));
  const side = choose(graph, isUp, whole, apply(graph, 'Sub', [zero, whole]));
  const left = apply(graph, 'Add', [plain, side]);
  const isLeft = apply(graph, 'Less', [x, zero], 'BOOL');
  const isMiddle = apply(graph, 'Equal', [x, zero], 'BOOL');
  const isNone = apply(graph, 'And', [isMiddle, apply(graph, 'Equal', [y, zero], 'BOOL')]);
  const vertical = choose(graph, isNone, zero, choose(graph, isUp, half, up));
  return choose(graph, isMiddle, vertical, choose(graph, isLeft, left, plain));
}

function infinite(graph: Graph, value: GraphValue): GraphValue {
  return graph.node('IsInf', [value], { dtype: 'BOOL', shape: value.shape });
}

/** The arc tangent; in double precision, a step of Newton's method leads there from the float's. */
export function arcTangent(graph: Graph, x: GraphValue): GraphValue {
  const start = apply(graph, 'Atan', [x]);
  if (x.dtype !== 'DOUBLE') return start;
  return polish(graph, start, x, scalar(graph, 1, 'DOUBLE'));
}

/** An angle brought closer to that of the point (adjacent, opposite). */
export function polish(graph: Graph, start: GraphValue, opposite: GraphValue, adjacent: GraphValue): GraphValue {
  const [sin, cos] = [apply(graph, 'Sin', [start]), apply(graph, 'Cos', [start])];
  const times = (a: GraphValue, b: GraphValue): GraphValue => apply(graph, 'Mul', [a, b]);
  const above = apply(graph, 'Sub', [times(opposite, cos), times(adjacent, sin)]);
  const below = apply(graph, 'Add', [times(adjacent, cos), times(opposite, sin)]);
  const better = apply(graph, 'Add', [start, apply(graph, 'Div', [above, below])]);
  const upright = times(apply(graph, 'Sign', [opposite]), scalar(graph, Math.PI / 2, 'DOUBLE'));
  return choose(graph, infinite(graph, opposite), upright, better);
}
