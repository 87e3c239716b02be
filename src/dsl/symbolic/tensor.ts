import type { Dtype } from '../../ml/dtypes.js';
import { dimensionsText, integerText, numberText } from './texts.js';
import { SymbolicTensorError, type TraceNode } from './trace.js';

/** A tensor or a number. A number without a fraction is an integer: it leaves a tensor of integers one. */
export type Operand = SymbolicTensor | number;

/** Dimensions that a reduction goes over: all unless told. `keepDims` leaves them in the shape, with size 1. */
export interface Reduction {
  dims?: number | readonly number[];
  keepDims?: boolean;
}

/** Element types that a tensor can be brought to. */
export type SymbolicDtype = Exclude<Dtype, 'UINT16' | 'STRING'>;

const dtypeNames: Readonly<Record<SymbolicDtype, string>> = {
  FLOAT: 'float32',
  DOUBLE: 'float64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  UINT8: 'uint8',
  BOOL: 'bool',
};

/** Any method, from whose caller an operation has its place. */
// biome-ignore lint/complexity/noBannedTypes: the place is that of any function's caller
type Method = Function;

/**
 * A tensor of a function that `.addFunction()` traces: it stands for whatever tensor the function will be called with. Operations on it do
 * not compute; they are written down as TorchScript, which the store runs. They mean what PyTorch's operations of the same names mean,
 * types and broadcasting included.
 *
 * It has no elements: it is no number, it cannot be asked in an `if` (use `where`), and it cannot be iterated.
 */
export class SymbolicTensor {
  /** @internal */
  readonly node: TraceNode;

  /** @internal */
  constructor(node: TraceNode) {
    this.node = node;
  }

  /** `this + other`, element by element. */
  add(other: Operand): SymbolicTensor {
    return this.#call('add', [other], this.add);
  }

  /** `this - other`, element by element. */
  sub(other: Operand): SymbolicTensor {
    return this.#call('sub', [other], this.sub);
  }

  /** `this * other`, element by element. */
  mul(other: Operand): SymbolicTensor {
    return this.#call('mul', [other], this.mul);
  }

  /** `this / other`, element by element; floats, of integers too. */
  div(other: Operand): SymbolicTensor {
    return this.#call('div', [other], this.div);
  }

  /** `this / other` rounded down. */
  floorDivide(other: Operand): SymbolicTensor {
    return this.#call('floor_divide', [other], this.floorDivide, 'floorDivide');
  }

  /** The remainder of `this / other`, with the sign of `other`. */
  remainder(other: Operand): SymbolicTensor {
    return this.#call('remainder', [other], this.remainder);
  }

  /** `this` to the power of `exponent`. */
  pow(exponent: Operand): SymbolicTensor {
    return this.#call('pow', [exponent], this.pow);
  }

  /** The elements with the other sign. */
  neg(): SymbolicTensor {
    return this.#call('neg', [], this.neg);
  }

  /** The elements without their signs. */
  abs(): SymbolicTensor {
    return this.#call('abs', [], this.abs);
  }

  /** -1, 0 or 1. */
  sign(): SymbolicTensor {
    return this.#call('sign', [], this.sign);
  }

  sqrt(): SymbolicTensor {
    return this.#call('sqrt', [], this.sqrt);
  }

  /** The elements times themselves. */
  square(): SymbolicTensor {
    return this.#call('square', [], this.square);
  }

  exp(): SymbolicTensor {
    return this.#call('exp', [], this.exp);
  }

  /** The natural logarithm. */
  log(): SymbolicTensor {
    return this.#call('log', [], this.log);
  }

  sin(): SymbolicTensor {
    return this.#call('sin', [], this.sin);
  }

  cos(): SymbolicTensor {
    return this.#call('cos', [], this.cos);
  }

  tan(): SymbolicTensor {
    return this.#call('tan', [], this.tan);
  }

  tanh(): SymbolicTensor {
    return this.#call('tanh', [], this.tanh);
  }

  sigmoid(): SymbolicTensor {
    return this.#call('sigmoid', [], this.sigmoid);
  }

  /** The elements, and 0 in the place of negative ones. */
  relu(): SymbolicTensor {
    return this.#call('relu', [], this.relu);
  }

  floor(): SymbolicTensor {
    return this.#call('floor', [], this.floor);
  }

  ceil(): SymbolicTensor {
    return this.#call('ceil', [], this.ceil);
  }

  /** The nearest whole numbers, halves to even ones. */
  round(): SymbolicTensor {
    return this.#call('round', [], this.round);
  }

  /** The elements within bounds, either of which may be left out. */
  clamp({ min, max }: { min?: number; max?: number }): SymbolicTensor {
    const bounds = Object.entries({ min, max }).flatMap(([name, bound]) =>
      bound === undefined ? [] : [`${name}=${numberText(bound)}`],
    );
    return this.#add('clamp', [], ([self]) => `${self}.clamp(${bounds.join(', ')})`, this.clamp);
  }

  /** True where the elements are equal. */
  eq(other: Operand): SymbolicTensor {
    return this.#call('eq', [other], this.eq);
  }

  /** True where the elements differ. */
  ne(other: Operand): SymbolicTensor {
    return this.#call('ne', [other], this.ne);
  }

  /** True where `this < other`. */
  lt(other: Operand): SymbolicTensor {
    return this.#call('lt', [other], this.lt);
  }

  /** True where `this <= other`. */
  le(other: Operand): SymbolicTensor {
    return this.#call('le', [other], this.le);
  }

  /** True where `this > other`. */
  gt(other: Operand): SymbolicTensor {
    return this.#call('gt', [other], this.gt);
  }

  /** True where `this >= other`. */
  ge(other: Operand): SymbolicTensor {
    return this.#call('ge', [other], this.ge);
  }

  /** True where both are. */
  and(other: SymbolicTensor): SymbolicTensor {
    return this.#call('logical_and', [other], this.and, 'and');
  }

  /** True where one is, or both. */
  or(other: SymbolicTensor): SymbolicTensor {
    return this.#call('logical_or', [other], this.or, 'or');
  }

  /** True where it is not. */
  not(): SymbolicTensor {
    return this.#call('logical_not', [], this.not, 'not');
  }

  /** The sum of elements. Integers add up to INT64. */
  sum(options: Reduction = {}): SymbolicTensor {
    return this.#reduce('sum', options, this.sum);
  }

  /** The mean of floats. */
  mean(options: Reduction = {}): SymbolicTensor {
    return this.#reduce('mean', options, this.mean);
  }

  /** The standard deviation of floats, with n - 1 as divisor unless `unbiased` is false. */
  std({ unbiased = true, ...options }: Reduction & { unbiased?: boolean } = {}): SymbolicTensor {
    return this.#reduce('std', options, this.std, unbiased ? '' : 'unbiased=False');
  }

  /** The largest element. */
  max(options: Reduction = {}): SymbolicTensor {
    return this.#reduce('amax', options, this.max, '', 'max');
  }

  /** The smallest element. */
  min(options: Reduction = {}): SymbolicTensor {
    return this.#reduce('amin', options, this.min, '', 'min');
  }

  /** The index (INT64) of the largest element along a dimension, or in all elements in their order. */
  argmax(dim?: number): SymbolicTensor {
    return this.#call('argmax', dim === undefined ? [] : [dim], this.argmax);
  }

  /** The index (INT64) of the smallest element along a dimension, or in all elements in their order. */
  argmin(dim?: number): SymbolicTensor {
    return this.#call('argmin', dim === undefined ? [] : [dim], this.argmin);
  }

  /** True if any element is, along a dimension or of all. */
  any(dim?: number): SymbolicTensor {
    return this.#call('any', dim === undefined ? [] : [dim], this.any);
  }

  /** True if all elements are, along a dimension or of all. */
  all(dim?: number): SymbolicTensor {
    return this.#call('all', dim === undefined ? [] : [dim], this.all);
  }

  /** The square root of the sum of squares. */
  norm(options: Reduction = {}): SymbolicTensor {
    if (options.dims === undefined) return this.#call('norm', [], this.norm);
    return this.#reduce('norm', options, this.norm, 'p=2');
  }

  /** Sums up to each element along a dimension. */
  cumsum(dim: number): SymbolicTensor {
    return this.#call('cumsum', [dim], this.cumsum);
  }

  /** Exponentials over their sum along a dimension. */
  softmax(dim: number): SymbolicTensor {
    return this.#call('softmax', [dim], this.softmax);
  }

  /** Logarithm of {@link SymbolicTensor.softmax}. */
  logSoftmax(dim: number): SymbolicTensor {
    return this.#call('log_softmax', [dim], this.logSoftmax, 'logSoftmax');
  }

  /** The matrix product; batches and vectors as in PyTorch. */
  matmul(other: SymbolicTensor): SymbolicTensor {
    return this.#call('matmul', [other], this.matmul);
  }

  /** The elements in another shape; one size may be -1. */
  reshape(...sizes: readonly number[]): SymbolicTensor {
    const shape = sizes.map(integerText).join(', ');
    return this.#add('reshape', [], ([self]) => `${self}.reshape([${shape}])`, this.reshape);
  }

  /** The dimensions from `start` to `end` as one. */
  flatten(start = 0, end = -1): SymbolicTensor {
    return this.#call('flatten', [start, end], this.flatten);
  }

  /** With a new dimension of size 1 at that index. */
  unsqueeze(dim: number): SymbolicTensor {
    return this.#call('unsqueeze', [dim], this.unsqueeze);
  }

  /** Without dimensions of size 1, or without that one. */
  squeeze(dim?: number): SymbolicTensor {
    return this.#call('squeeze', dim === undefined ? [] : [dim], this.squeeze);
  }

  /** The dimensions in another order. */
  permute(...dims: readonly number[]): SymbolicTensor {
    const order = dims.map(integerText).join(', ');
    return this.#add('permute', [], ([self]) => `${self}.permute([${order}])`, this.permute);
  }

  /** With two dimensions swapped. */
  transpose(one: number, other: number): SymbolicTensor {
    return this.#call('transpose', [one, other], this.transpose);
  }

  /** The elements repeated along dimensions of size 1; -1 keeps a size. */
  expand(...sizes: readonly number[]): SymbolicTensor {
    const shape = sizes.map(integerText).join(', ');
    return this.#add('expand', [], ([self]) => `${self}.expand([${shape}])`, this.expand);
  }

  /** The tensor at an index of a dimension, without that dimension. */
  select(dim: number, index: number): SymbolicTensor {
    return this.#call('select', [dim, index], this.select);
  }

  /** The part of a dimension from `from` to before `to`, every `step`; negative indices count from the end. */
  slice(dim: number, from: number, to?: number, step = 1): SymbolicTensor {
    const bounds = `${integerText(from)}:${to === undefined ? '' : integerText(to)}${step === 1 ? '' : `:${integerText(step)}`}`;
    const index = dim < 0 ? `..., ${bounds}${', :'.repeat(-1 - dim)}` : `${':, '.repeat(dim)}${bounds}`;
    return this.#add('slice', [], ([self]) => `${self}[${index}]`, this.slice);
  }

  /** The elements of dimensions in the opposite order. */
  flip(...dims: readonly number[]): SymbolicTensor {
    const order = dims.map(integerText).join(', ');
    return this.#add('flip', [], ([self]) => `${self}.flip([${order}])`, this.flip);
  }

  /** The elements moved along a dimension; those that leave at one end come in at the other. */
  roll(shift: number, dim: number): SymbolicTensor {
    return this.#call('roll', [shift, dim], this.roll);
  }

  /** The elements in another type. */
  to(dtype: SymbolicDtype): SymbolicTensor {
    if (!Object.hasOwn(dtypeNames, dtype)) throw new SymbolicTensorError(`no tensor of a script has the type ${dtype}`);
    return this.#add('to', [], ([self]) => `${self}.to(torch.${dtypeNames[dtype]})`, this.to);
  }

  /** Refuses to be a number or a text. */
  [Symbol.toPrimitive](): never {
    throw new SymbolicTensorError('a symbolic tensor is no number: use its methods, such as .add() and .gt()');
  }

  /** Refuses to be iterated. */
  [Symbol.iterator](): never {
    throw new SymbolicTensorError('a symbolic tensor cannot be iterated: use .select() and .slice()');
  }

  /** Refuses to become JSON. */
  toJSON(): never {
    throw new SymbolicTensorError('a symbolic tensor has no elements');
  }

  #reduce(
    name: string,
    { dims, keepDims = false }: Reduction,
    method: Method,
    more = '',
    shown = name,
  ): SymbolicTensor {
    if (dims === undefined && !keepDims) {
      return this.#add(shown, [], ([self]) => `${self}.${name}(${more})`, method);
    }
    const words = [
      `dim=${dimensionsText(dims ?? [])}`,
      ...(more === '' ? [] : [more]),
      ...(keepDims ? ['keepdim=True'] : []),
    ];
    return this.#add(shown, [], ([self]) => `${self}.${name}(${words.join(', ')})`, method);
  }

  /** A method of PyTorch's tensors with operands that are tensors and numbers. */
  #call(name: string, operands: readonly Operand[], method: Method, shown = name): SymbolicTensor {
    const tensors = operands.filter((operand) => operand instanceof SymbolicTensor);
    const text = ([self, ...texts]: readonly string[]): string => {
      let next = 0;
      const words = operands.map((operand) => (typeof operand === 'number' ? numberText(operand) : texts[next++]));
      return `${self}.${name}(${words.join(', ')})`;
    };
    const wrong = operands.find((operand) => typeof operand !== 'number' && !(operand instanceof SymbolicTensor));
    if (wrong !== undefined) throw new SymbolicTensorError(`.${shown}() takes symbolic tensors and numbers`);
    return this.#add(shown, tensors, text, method);
  }

  #add(shown: string, others: readonly SymbolicTensor[], text: TraceNode['text'], method: Method): SymbolicTensor {
    const operands = [this.node, ...others.map(({ node }) => node)];
    return new SymbolicTensor(this.node.trace.add(`.${shown}()`, operands, text, method));
  }
}
