export { type Command, command } from './command.js';
export { experiment } from './experiment.js';
export { mlBytes, mlFile } from './ml-source.js';
export type {
  Application,
  AttachOptions,
  BatchOptions,
  ColocateOptions,
  Experiment,
  Fresh,
  MlModelOptions,
  NotAllowed,
  Opening,
  OrchestratorOptions,
  ParamsOptions,
  ParamValues,
  StoreLimits,
} from './types.js';
