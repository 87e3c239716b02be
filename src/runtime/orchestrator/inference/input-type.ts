import type { Dtype } from '../../../ml/dtypes.js';

/** Element type and shape of a model's input. */
export interface InputType {
  readonly dtype: Dtype;
  /** null for a size that may vary. */
  readonly shape: readonly (number | null)[];
}

/** Types of a model's inputs, in order: undefined for one that the model does not tell, or for all where it tells none. */
export type InputTypes = readonly (InputType | undefined)[] | undefined;
