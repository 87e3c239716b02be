import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';

const minimumNode = [20, 19] as const;

/** Compares what the job got with what the plan needs, as far as that takes no time. Throws RUN1001 or OUT1002. */
export function assertSurroundings(dir: string): void {
  assertNodeVersion(process.versions.node);
  assertWritable(dir);
}

/** Throws OUT1002 where nothing can be written to run/. */
export function assertWritable(dir: string): void {
  const run = join(dir, 'run');
  try {
    mkdirSync(run, { recursive: true });
    accessSync(run, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new WorkflowError({
      code: 'OUT1002',
      message: `${run} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'jobs write their results there; it must be on a file system that compute nodes can write',
      cause: error,
    });
  }
}

/** Throws RUN1001 for a Node.js that is too old. */
export function assertNodeVersion(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > minimumNode[0] || (major === minimumNode[0] && minor >= minimumNode[1])) return;
  throw new WorkflowError({
    code: 'RUN1001',
    message: `Node.js ${version} runs this job; ${minimumNode.join('.')} or newer is needed`,
    hint: "set nodeCommand in the site, or load the site's module for a newer Node.js",
  });
}
