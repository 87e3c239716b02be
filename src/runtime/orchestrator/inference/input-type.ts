import type { Dtype } from '../../../ml/dtypes.js';

/** Element type and shape of a model's input. */
export interface InputType {
  readonly dtype: Dtype;
  /** null for a size that may vary. */
  readonly shape: readonly (number | null)[];
}

/** Types of a model's inputs, in order: null for one that the model does not tell; undefined where it tells none. */
export type InputTypes = readonly (InputType | null)[] | undefined;
