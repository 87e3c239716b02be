import { type Operand, SymbolicTensor } from './tensor.js';
import { integerText, numberText } from './texts.js';
import { SymbolicTensorError, type TraceNode } from './trace.js';

// biome-ignore lint/complexity/noBannedTypes: the place is that of any function's caller
type Method = Function;

function add(
  name: string,
  tensors: readonly SymbolicTensor[],
  text: TraceNode['text'],
  method: Method,
): SymbolicTensor {
  const [first] = tensors;
  if (first === undefined || !tensors.every((tensor) => tensor instanceof SymbolicTensor)) {
    throw new SymbolicTensorError(`${name}() takes symbolic tensors`);
  }
  const operands = tensors.map(({ node }) => node);
  return new SymbolicTensor(first.node.trace.add(`${name}()`, operands, text, method));
}

/** Tensors one after the other along a dimension. */
export function cat(tensors: readonly SymbolicTensor[], dim = 0): SymbolicTensor {
  return add('cat', tensors, (texts) => `torch.cat([${texts.join(', ')}], ${integerText(dim)})`, cat);
}

/** Tensors of one shape side by side along a new dimension. */
export function stack(tensors: readonly SymbolicTensor[], dim = 0): SymbolicTensor {
  return add('stack', tensors, (texts) => `torch.stack([${texts.join(', ')}], ${integerText(dim)})`, stack);
}

/** Elements of `one` where the condition is true, of `other` where it is not. */
export function where(condition: SymbolicTensor, one: Operand, other: Operand): SymbolicTensor {
  const tensors = [condition, one, other].filter((operand) => typeof operand !== 'number');
  const text = ([mask, ...texts]: readonly string[]): string => {
    let next = 0;
    const words = [one, other].map((operand) => (typeof operand === 'number' ? numberText(operand) : texts[next++]));
    return `torch.where(${[mask, ...words].join(', ')})`;
  };
  return add('where', tensors, text, where);
}

/** The larger of two elements. */
export function maximum(one: SymbolicTensor, other: SymbolicTensor): SymbolicTensor {
  return add('maximum', [one, other], (texts) => `torch.maximum(${texts.join(', ')})`, maximum);
}

/** The smaller of two elements. */
export function minimum(one: SymbolicTensor, other: SymbolicTensor): SymbolicTensor {
  return add('minimum', [one, other], (texts) => `torch.minimum(${texts.join(', ')})`, minimum);
}

/** A tensor of zeros, of the shape and type of another. */
export function zerosLike(tensor: SymbolicTensor): SymbolicTensor {
  return add('zerosLike', [tensor], ([text]) => `torch.zeros_like(${text})`, zerosLike);
}

/** A tensor of ones, of the shape and type of another. */
export function onesLike(tensor: SymbolicTensor): SymbolicTensor {
  return add('onesLike', [tensor], ([text]) => `torch.ones_like(${text})`, onesLike);
}
