/** The DSL, sites, and every type that a workflow may have to name. */
export {
  type ErrorCode,
  type Problem,
  type SourceLocation,
  WorkflowError,
  type WorkflowErrorDetails,
} from './diagnostics/index.js';
export * from './dsl/index.js';
export type {
  AuthoredCommand,
  AuthoredExperiment,
  EngineName,
  Event,
  EvictionPolicy,
  ExtendingSite,
  LauncherName,
  MlSource,
  ParamValue,
  ScriptSource,
  SiteInput,
} from './ir/index.js';
export { defineSite } from './sites/define-site.js';
