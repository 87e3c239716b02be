export { pythonPackageFolder } from './package-folder.js';
export {
  type FrameworkVersion,
  findPython,
  isOlder,
  lacksFramework,
  type Probe,
  probePython,
  pythonPath,
} from './probe.js';
export type { WorkerFacts } from './worker-process.js';
