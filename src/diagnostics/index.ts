export { type ErrorCode, errorCodes } from './codes.js';
export { Problems } from './problems.js';
export { type RenderOptions, renderProblem, renderProblems } from './render.js';
export { callerLocation, locationInStack, type SourceLocation } from './source-location.js';
export { nearest, suggestion } from './suggest.js';
export { counted, escapeControls } from './text.js';
export { type Problem, WorkflowError, type WorkflowErrorDetails } from './workflow-error.js';
