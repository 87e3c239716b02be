import { SymbolicTensorError } from './trace.js';

/** A number as TorchScript writes it: an integer has no point. */
export function numberText(value: number | boolean): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Number.isNaN(value)) return "float('nan')";
  if (!Number.isFinite(value)) return value > 0 ? "float('inf')" : "-float('inf')";
  return Object.is(value, -0) ? '-0.0' : String(value);
}

/** An integer of a shape, dimension or index. @throws SymbolicTensorError */
export function integerText(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  throw new SymbolicTensorError(`${value} is no integer`);
}

/** Dimensions: one, or a list. */
export function dimensionsText(dimensions: number | readonly number[]): string {
  return typeof dimensions === 'number' ? integerText(dimensions) : `[${dimensions.map(integerText).join(', ')}]`;
}
