export type {
  AddModelOptions,
  AfterKeyOptions,
  AttachOptions,
  BatchOptions,
  ColocateOptions,
  ColocateTcpOptions,
  ColocateUdsOptions,
  ContainerOptions,
  Device,
  DirectiveOptions,
  FunctionOptions,
  GivenValue,
  MailOptions,
  OrchestratorOptions,
  ParamAssignment,
  ParamsOptions,
  ParamValues,
  PlacementOptions,
  RayClusterOptions,
  RequiresOptions,
  ScriptOptions,
  SetupOptions,
  StoreLimits,
  StrategyFunction,
  TensorFlowModelOptions,
} from '../ir/options/index.js';
export type { BackendName } from '../ml/backends.js';
export type { Dtype } from '../ml/dtypes.js';
export { apptainer, type Container } from './apptainer.js';
export { type Command, command } from './command.js';
export { type EnvironmentReference, fromEnvironment } from './environment-reference.js';
export { experiment } from './experiment.js';
export type { TensorFunction } from './function-source.js';
export { mlBytes, mlFile, scriptFile, scriptText } from './ml-source.js';
export type { Fresh, KnownNames, NotAllowed } from './not-allowed.js';
export type { MlModelOptions, ModelParamsOptions, SelfDescribedModelOptions } from './options.js';
export { cat, maximum, minimum, onesLike, stack, where, zerosLike } from './symbolic/functions.js';
export type { Operand, Reduction, SymbolicDtype, SymbolicTensor } from './symbolic/tensor.js';
export type {
  ApplicationBuilder,
  EnsembleBuilder,
  Experiment,
  ModelBuilder,
  OnceColocated,
  Opening,
  OrchestratorArguments,
  OrchestratorBuilder,
  RayClusterBuilder,
} from './types.js';
