import type { Graph, GraphValue } from '../onnx/graph.js';
import { cast, compute } from '../onnx/kernels.js';
import { failed } from '../problem.js';
import { apply, reshape, scalar } from '../tensors/basics.js';
import * as reductions from '../tensors/reductions.js';
import { dimension, range } from '../tensors/shapes.js';
import { isFloat, scalarName } from '../values/dtypes.js';
import { floats } from './elementwise.js';
import type { Given } from './given.js';
import { both, func, named, type Operation } from './operation.js';

/** Correction of a variance's divisor: by name, or 1 where `unbiased` is true. */
function correctionOf(given: Given): number {
  if (given.has('correction')) return given.float('correction');
  return given.has('unbiased') && !given.flag('unbiased') ? 0 : 1;
}

function spread(name: 'std' | 'var', finish: (graph: Graph, value: GraphValue) => GraphValue): Operation[] {
  const value = (graph: Graph, given: Given): [GraphValue, GraphValue] => {
    const self = given.tensor('self').value;
    const keep = given.flag('keepdim');
    const dims = given.optionalInts('dim');
    const of = reductions.variance(graph, self, dims, keep, correctionOf(given));
    return [finish(graph, of), reductions.mean(graph, self, dims, keep)];
  };
  return ['', '_mean'].flatMap((suffix) =>
    [
      `${name}${suffix}(Tensor self, bool unbiased=True)`,
      `${name}${suffix}(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False)`,
      `${name}${suffix}(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False)`,
    ].map((schema) => {
      if (suffix === '') return both(schema, (graph, given) => value(graph, given)[0]);
      return func(schema, (graph, given) => named([], value(graph, given)));
    }),
  );
}

function extremes(name: 'max' | 'min'): Operation[] {
  const which = name === 'max' ? 'Max' : 'Min';
  const all = (graph: Graph, given: Given): GraphValue => {
    const { value } = given.tensor('self');
    return reductions.extremeOf(graph, `Reduce${which}`, value, range(value.shape.length), false);
  };
  return [
    both(`${name}(Tensor self)`, all),
    both(`${name}(Tensor self, int dim, bool keepdim=False)`, (graph, given) => {
      const { value } = given.tensor('self');
      const found = reductions.extremeWithIndex(graph, which, value, given.int('dim'), given.flag('keepdim'));
      return named(['values', 'indices'], found);
    }),
    both(`a${name}(Tensor self, int[1] dim=[], bool keepdim=False)`, (graph, given) => {
      const { value } = given.tensor('self');
      const dims = reductions.over(given.ints('dim'), value.shape.length);
      return reductions.extremeOf(graph, `Reduce${which}`, value, dims, given.flag('keepdim'));
    }),
    both(`arg${name}(Tensor self, int? dim=None, bool keepdim=False)`, (graph, given) => {
      const { value } = given.tensor('self');
      if (value.dtype === 'BOOL') throw failed(`"arg${name}_cpu" not implemented for 'Bool'`);
      if (given.has('dim')) {
        return reductions.indexOfExtreme(graph, `Arg${which}`, value, given.int('dim'), given.flag('keepdim'));
      }
      const flat = reshape(graph, value, [value.shape.reduce((product, size) => product * size, 1)]);
      const found = reductions.indexOfExtreme(graph, `Arg${which}`, flat, 0, false);
      return given.flag('keepdim')
        ? reshape(
            graph,
            found,
            value.shape.map(() => 1),
          )
        : found;
    }),
  ];
}

function truths(name: 'all' | 'any'): Operation[] {
  const operator = name === 'all' ? 'ReduceMin' : 'ReduceMax';
  const run = (graph: Graph, given: Given): GraphValue => {
    const { value } = given.tensor('self');
    const dims = reductions.over(given.optionalInts('dim'), value.shape.length);
    const found = reductions.truth(graph, value, operator, dims, given.flag('keepdim'));
    return value.dtype === 'UINT8' ? cast(graph, found, 'UINT8') : found;
  };
  return [both(`${name}(Tensor self)`, run), both(`${name}(Tensor self, int[1]? dim, bool keepdim=False)`, run)];
}

function softmax(name: 'softmax' | 'log_softmax', operator: string): Operation {
  return both(`${name}(Tensor self, int dim, ScalarType? dtype=None)`, (graph, given) => {
    const dtype = given.dtype('dtype');
    const self = given.tensor('self');
    const value = dtype === undefined ? self.value : cast(graph, self.value, dtype);
    if (!isFloat(value.dtype)) {
      throw failed(`"${name}_lastdim_kernel_impl" not implemented for '${scalarName[value.dtype]}'`);
    }
    const along = dimension(given.int('dim'), self.rank);
    if (self.rank === 0) return reshape(graph, softmaxOf(graph, operator, reshape(graph, value, [1]), 0), []);
    return softmaxOf(graph, operator, value, along);
  });
}

function softmaxOf(graph: Graph, operator: string, value: GraphValue, along: number): GraphValue {
  return compute(graph, operator, [value], value.shape, { attributes: { axis: BigInt(along) } });
}

function logSumExp(graph: Graph, given: Given): GraphValue {
  const { value: own } = given.tensor('self');
  const value = isFloat(own.dtype) ? own : cast(graph, own, 'FLOAT');
  const dims = reductions.over(given.ints('dim'), value.shape.length);
  return reductions.reduce(graph, 'ReduceLogSumExp', value, dims, given.flag('keepdim'));
}

/** Running totals along a dimension. */
function cumulative(graph: Graph, given: Given): GraphValue {
  const value = reductions.summed(graph, given.tensor('self').value, given.dtype('dtype'));
  if (value.shape.length === 0) return value;
  const along = scalar(graph, BigInt(dimension(given.int('dim'), value.shape.length)), 'INT64');
  return compute(graph, 'CumSum', [value, along], value.shape, { count: 1 });
}

function median(graph: Graph, given: Given): GraphValue {
  const { value } = given.tensor('self');
  if (value.dtype === 'BOOL') throw failed('"median_cpu" not implemented for \'Bool\'');
  const count = value.shape.reduce((product, size) => product * size, 1);
  if (count === 0) throw failed('median(): the tensor is empty');
  const [values] = reductions.sorted(graph, reshape(graph, value, [count]), 0, undefined, false);
  const middle = graph.constant('INT64', [], [BigInt(Math.floor((count - 1) / 2))]);
  const found = graph.node('Gather', [values, middle], { dtype: value.dtype, shape: [] }, { axis: 0n });
  if (!isFloat(value.dtype)) return found;
  // A NaN is the median of all that it is among; adding a sum of zeros keeps it.
  const nan = reductions.extremeOf(graph, 'ReduceMax', value, range(value.shape.length), false);
  const zero = apply(graph, 'Equal', [nan, nan], 'BOOL');
  return graph.node('Where', [zero, found, nan], { dtype: value.dtype, shape: [] });
}

function sorts(): Operation[] {
  const run = (graph: Graph, given: Given, count?: number): [GraphValue, GraphValue] => {
    const isDescending = given.has('largest') ? given.flag('largest') : given.flag('descending');
    const { value } = given.tensor('self');
    if (count !== undefined && value.dtype === 'BOOL') throw failed('topk does not support bool dtypes on CPU');
    return reductions.sorted(graph, value, given.int('dim'), count, isDescending);
  };
  return [
    both('sort(Tensor self, int dim=-1, bool descending=False)', (graph, given) =>
      named(['values', 'indices'], run(graph, given)),
    ),
    both('argsort(Tensor self, int dim=-1, bool descending=False)', (graph, given) => run(graph, given)[1]),
    both('topk(Tensor self, int k, int dim=-1, bool largest=True, bool sorted=True)', (graph, given) =>
      named(['values', 'indices'], run(graph, given, given.int('k'))),
    ),
  ];
}

/** Operations that make one element of many. */
export const reducing: readonly Operation[] = [
  both('sum(Tensor self, *, ScalarType? dtype=None)', (graph, given) =>
    reductions.sum(graph, given.tensor('self').value, undefined, false, given.dtype('dtype')),
  ),
  both('sum(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None)', (graph, given) =>
    reductions.sum(
      graph,
      given.tensor('self').value,
      given.optionalInts('dim'),
      given.flag('keepdim'),
      given.dtype('dtype'),
    ),
  ),
  both('mean(Tensor self, *, ScalarType? dtype=None)', (graph, given) =>
    reductions.mean(graph, given.tensor('self').value, undefined, false, given.dtype('dtype')),
  ),
  both('mean(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None)', (graph, given) =>
    reductions.mean(
      graph,
      given.tensor('self').value,
      given.optionalInts('dim'),
      given.flag('keepdim'),
      given.dtype('dtype'),
    ),
  ),
  both('prod(Tensor self, *, ScalarType? dtype=None)', (graph, given) => {
    const value = reductions.summed(graph, given.tensor('self').value, given.dtype('dtype'));
    return reductions.reduce(graph, 'ReduceProd', value, range(value.shape.length), false);
  }),
  both('prod(Tensor self, int dim, bool keepdim=False, *, ScalarType? dtype=None)', (graph, given) => {
    const value = reductions.summed(graph, given.tensor('self').value, given.dtype('dtype'));
    const dims = [dimension(given.int('dim'), value.shape.length)];
    return value.shape.length === 0
      ? value
      : reductions.reduce(graph, 'ReduceProd', value, dims, given.flag('keepdim'));
  }),
  ...extremes('max'),
  ...extremes('min'),
  ...truths('all'),
  ...truths('any'),
  ...spread('std', (graph, value) => apply(graph, 'Sqrt', [value])),
  ...spread('var', (_, value) => value),
  both('norm(Tensor self, Scalar p=2)', (graph, given) =>
    reductions.norm(graph, given.tensor('self').value, given.float('p'), undefined, false),
  ),
  both('norm(Tensor self, Scalar? p, int[1] dim, bool keepdim=False)', (graph, given) =>
    reductions.norm(
      graph,
      given.tensor('self').value,
      given.has('p') ? given.float('p') : 2,
      given.ints('dim'),
      given.flag('keepdim'),
    ),
  ),
  both('dist(Tensor self, Tensor other, Scalar p=2)', (graph, given) => {
    const difference = apply(graph, 'Sub', [floats(given.tensor('self')), floats(given.tensor('other'))]);
    return reductions.norm(graph, difference, given.float('p'), undefined, false);
  }),
  both('logsumexp(Tensor self, int[1] dim, bool keepdim=False)', logSumExp),
  both('cumsum(Tensor self, int dim, *, ScalarType? dtype=None)', cumulative),
  both('median(Tensor self)', median),
  both('count_nonzero(Tensor self, int? dim=None)', (graph, given) => {
    const bits = cast(graph, cast(graph, given.tensor('self').value, 'BOOL'), 'INT64');
    return reductions.sum(graph, bits, given.optionalInts('dim'), false);
  }),
  softmax('softmax', 'Softmax'),
  softmax('log_softmax', 'LogSoftmax'),
  ...sorts(),
];
