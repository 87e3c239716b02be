/** The DSL, sites, and every type that a workflow may have to name. */
export { type Problem, type SourceLocation, WorkflowError } from './diagnostics/index.js';
export * from './dsl/index.js';
export type { AuthoredCommand, AuthoredExperiment, Event, MlSource, ParamValue, SiteInput } from './ir/index.js';
export { defineSite } from './sites/define-site.js';
