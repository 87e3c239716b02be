import type { anyModelOptions, modelParamsOptions, OptionsOf, TensorFlowModelOptions } from '../ir/options/index.js';
import type { BackendName, backends } from '../ml/backends.js';
import type { NotAllowed } from './not-allowed.js';

/*
 * Options whose types refuse a value, with a sentence that says why; src/ir/options has all others.
 */

/** Options of a model's parameters. */
export interface ModelParamsOptions extends OptionsOf<typeof modelParamsOptions> {
  strategy?: NotAllowed<'a model has one value a parameter: .ensemble() runs several'>;
}

/** A model whose file says what its inputs and outputs are. */
export interface SelfDescribedModelOptions extends OptionsOf<typeof anyModelOptions> {
  /** Framework that the model is made with. */
  // A type without a name of its own, so that messages list the backends.
  backend: { [Name in BackendName]: (typeof backends)[Name]['needsNames'] extends true ? never : Name }[BackendName];
  inputs?: NotAllowed<'only backend TF is told the names of inputs: other models know theirs'>;
  outputs?: NotAllowed<'only backend TF is told the names of outputs: other models know theirs'>;
}

export type MlModelOptions = TensorFlowModelOptions | SelfDescribedModelOptions;
