export { type Compiled, type CompileInput, compile } from './compile.js';
export type { OutputFile } from './emit/emit-files.js';
export { onnxRuntimeFiles, pythonFiles, runtimeFiles } from './emit/runtime-files.js';
export { compareFolder, type FolderDifference, writeFolder } from './emit/write-files.js';
export { checkSite, type LoadedSite, loadLayeredSite, loadSite } from './load/load-site.js';
export { type LoadedWorkflow, loadWorkflow } from './load/load-workflow.js';
export { layerOfField, type SiteLayer } from './load/site-layers.js';
export { packageVersion } from './package-version.js';
