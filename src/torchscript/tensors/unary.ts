import type { Graph, GraphValue } from '../onnx/graph.js';
import { cast } from '../onnx/kernels.js';
import { failed } from '../problem.js';
import { isFloat, scalarName } from '../values/dtypes.js';
import { arcTangent, polish, truncated } from './arithmetic.js';
import { apply, choose, scalar } from './basics.js';

/** An operation of each element by itself. */
export type Unary = (graph: Graph, value: GraphValue) => GraphValue;

/** An operation whose results are floats, of whole numbers as well. */
function floating(of: Unary): Unary {
  return (graph, value) => of(graph, isFloat(value.dtype) ? value : cast(graph, value, 'FLOAT'));
}

function operator(name: string): Unary {
  return (graph, value) => apply(graph, name, [value]);
}

/** An operation that whole numbers do not need. */
function rounding(of: Unary, name: string): Unary {
  return (graph, value) => {
    if (value.dtype === 'BOOL') throw failed(`"${name}" not implemented for 'Bool'`);
    return isFloat(value.dtype) ? of(graph, value) : value;
  };
}

function refusingBool(of: Unary, text: string): Unary {
  return (graph, value) => {
    if (value.dtype === 'BOOL') throw failed(text);
    return of(graph, value);
  };
}

/** The kernel for floats, and a formula for doubles, which have none. */
function withDouble(name: string, formula: Unary): Unary {
  return floating((graph, value) => (value.dtype === 'DOUBLE' ? formula(graph, value) : apply(graph, name, [value])));
}

const number = (graph: Graph, value: GraphValue, n: number): GraphValue => scalar(graph, n, value.dtype);
const plus = (graph: Graph, a: GraphValue, b: GraphValue): GraphValue => apply(graph, 'Add', [a, b]);
const minus = (graph: Graph, a: GraphValue, b: GraphValue): GraphValue => apply(graph, 'Sub', [a, b]);
const times = (graph: Graph, a: GraphValue, b: GraphValue): GraphValue => apply(graph, 'Mul', [a, b]);
const over = (graph: Graph, a: GraphValue, b: GraphValue): GraphValue => apply(graph, 'Div', [a, b]);
const exp = (graph: Graph, value: GraphValue): GraphValue => apply(graph, 'Exp', [value]);
const log = (graph: Graph, value: GraphValue): GraphValue => apply(graph, 'Log', [value]);
const root = (graph: Graph, value: GraphValue): GraphValue => apply(graph, 'Sqrt', [value]);

/** Square root of 1 - x². */
function otherLeg(graph: Graph, x: GraphValue): GraphValue {
  const one = number(graph, x, 1);
  return root(graph, times(graph, minus(graph, one, x), plus(graph, one, x)));
}

function arcSine(graph: Graph, x: GraphValue): GraphValue {
  const start = apply(graph, 'Asin', [x]);
  return x.dtype === 'DOUBLE' ? polish(graph, start, x, otherLeg(graph, x)) : start;
}

function arcCosine(graph: Graph, x: GraphValue): GraphValue {
  const start = apply(graph, 'Acos', [x]);
  return x.dtype === 'DOUBLE' ? polish(graph, start, otherLeg(graph, x), x) : start;
}

function hyperbolic(graph: Graph, x: GraphValue, combine: typeof plus): GraphValue {
  const inverse = exp(graph, minus(graph, number(graph, x, 0), x));
  return times(graph, combine(graph, exp(graph, x), inverse), number(graph, x, 0.5));
}

/** log(1 + x) without the loss of what is small beside 1. */
function log1p(graph: Graph, x: GraphValue): GraphValue {
  const one = number(graph, x, 1);
  const sum = plus(graph, one, x);
  const exact = over(graph, times(graph, log(graph, sum), x), minus(graph, sum, one));
  const isOne = apply(graph, 'Equal', [sum, one], 'BOOL');
  const isInfinite = graph.node('IsInf', [sum], { dtype: 'BOOL', shape: sum.shape });
  return choose(graph, isOne, x, choose(graph, isInfinite, log(graph, sum), exact));
}

/** exp(x) - 1 without the loss of what is small beside 1. */
function expm1(graph: Graph, x: GraphValue): GraphValue {
  const half = apply(graph, 'Tanh', [times(graph, x, number(graph, x, 0.5))]);
  const exact = times(graph, half, plus(graph, exp(graph, x), number(graph, x, 1)));
  const isLarge = apply(graph, 'Greater', [x, number(graph, x, 1)], 'BOOL');
  return choose(graph, isLarge, minus(graph, exp(graph, x), number(graph, x, 1)), exact);
}

function arSinh(graph: Graph, x: GraphValue): GraphValue {
  const size = apply(graph, 'Abs', [x]);
  const one = number(graph, x, 1);
  const square = times(graph, size, size);
  // asinh(x) = log1p(x + x² / (1 + sqrt(1 + x²)))
  const rest = over(graph, square, plus(graph, one, root(graph, plus(graph, one, square))));
  const found = times(graph, apply(graph, 'Sign', [x]), log1p(graph, plus(graph, size, rest)));
  return choose(graph, isInf(graph, x), x, found);
}

function arCosh(graph: Graph, x: GraphValue): GraphValue {
  const one = number(graph, x, 1);
  return log(graph, plus(graph, x, root(graph, times(graph, minus(graph, x, one), plus(graph, x, one)))));
}

function arTanh(graph: Graph, x: GraphValue): GraphValue {
  const one = number(graph, x, 1);
  const twice = over(graph, times(graph, number(graph, x, 2), x), minus(graph, one, x));
  return times(graph, log1p(graph, twice), number(graph, x, 0.5));
}

function test(name: 'IsNaN' | 'IsInf'): Unary {
  return (graph, value) => {
    const result = { dtype: 'BOOL', shape: value.shape } as const;
    if (isFloat(value.dtype)) return graph.node(name, [value], result);
    return graph.node('Expand', [graph.constant('BOOL', [], [0]), graph.integers(...value.shape)], result);
  };
}

export const isNan = test('IsNaN');
export const isInf = test('IsInf');

function bitwiseNot(graph: Graph, value: GraphValue): GraphValue {
  if (isFloat(value.dtype)) throw failed(`"bitwise_not_cpu" not implemented for '${scalarName[value.dtype]}'`);
  return apply(graph, value.dtype === 'BOOL' ? 'Not' : 'BitwiseNot', [value]);
}

function sign(graph: Graph, value: GraphValue): GraphValue {
  if (value.dtype === 'BOOL') return value;
  const result = apply(graph, 'Sign', [value]);
  return isFloat(value.dtype) ? choose(graph, isNan(graph, value), number(graph, value, 0), result) : result;
}

function rectified(graph: Graph, value: GraphValue): GraphValue {
  if (isFloat(value.dtype)) return apply(graph, 'Relu', [value]);
  return apply(graph, 'Max', [value, scalar(graph, 0n, value.dtype)]);
}

/** Operations of each element by itself, by torch's names. */
export const unaries: Readonly<Record<string, Unary>> = {
  sqrt: floating(root),
  exp: floating(exp),
  log: floating(log),
  log2: floating((graph, x) => times(graph, log(graph, x), number(graph, x, Math.LOG2E))),
  log10: floating((graph, x) => times(graph, log(graph, x), number(graph, x, Math.LOG10E))),
  log1p: floating(log1p),
  expm1: floating(expm1),
  exp2: floating((graph, x) => exp(graph, times(graph, x, number(graph, x, Math.LN2)))),
  sin: floating(operator('Sin')),
  cos: floating(operator('Cos')),
  tan: withDouble('Tan', (graph, x) => over(graph, apply(graph, 'Sin', [x]), apply(graph, 'Cos', [x]))),
  asin: floating(arcSine),
  acos: floating(arcCosine),
  atan: floating(arcTangent),
  sinh: withDouble('Sinh', (graph, x) => hyperbolic(graph, x, minus)),
  cosh: withDouble('Cosh', (graph, x) => hyperbolic(graph, x, plus)),
  tanh: floating(operator('Tanh')),
  asinh: withDouble('Asinh', arSinh),
  acosh: withDouble('Acosh', arCosh),
  atanh: withDouble('Atanh', arTanh),
  sigmoid: floating(operator('Sigmoid')),
  erf: floating(operator('Erf')),
  rsqrt: floating((graph, x) => over(graph, number(graph, x, 1), root(graph, x))),
  reciprocal: floating((graph, x) => over(graph, number(graph, x, 1), x)),
  rad2deg: floating((graph, x) => times(graph, x, number(graph, x, 180 / Math.PI))),
  deg2rad: floating((graph, x) => times(graph, x, number(graph, x, Math.PI / 180))),
  neg: refusingBool(operator('Neg'), 'Negation, the `-` operator, on a bool tensor is not supported.'),
  abs: refusingBool(operator('Abs'), '"abs_cpu" not implemented for \'Bool\''),
  relu: refusingBool(rectified, 'Boolean inputs not supported for relu'),
  sign,
  square: (graph, x) =>
    times(graph, x.dtype === 'BOOL' ? cast(graph, x, 'INT64') : x, x.dtype === 'BOOL' ? cast(graph, x, 'INT64') : x),
  floor: rounding(operator('Floor'), 'floor_cpu'),
  ceil: rounding(operator('Ceil'), 'ceil_cpu'),
  round: rounding(operator('Round'), 'round_cpu'),
  trunc: rounding(truncated, 'trunc_cpu'),
  frac: (graph, x) => {
    if (!isFloat(x.dtype)) throw failed(`"frac_cpu" not implemented for '${scalarName[x.dtype]}'`);
    return minus(graph, x, truncated(graph, x));
  },
  logical_not: (graph, x) => apply(graph, 'Not', [cast(graph, x, 'BOOL')]),
  bitwise_not: bitwiseNot,
  isnan: isNan,
  isinf: isInf,
  isfinite: (graph, x) => apply(graph, 'Not', [apply(graph, 'Or', [isNan(graph, x), isInf(graph, x)])]),
};

/** Other names of the same operations. */
export const unaryAliases: Readonly<Record<string, string>> = {
  absolute: 'abs',
  negative: 'neg',
  arcsin: 'asin',
  arccos: 'acos',
  arctan: 'atan',
  arcsinh: 'asinh',
  arccosh: 'acosh',
  arctanh: 'atanh',
  fix: 'trunc',
};
