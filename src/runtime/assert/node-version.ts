import type { Problem } from '../../diagnostics/index.js';
import { minimumNode } from '../../ir/index.js';

/** True if a version such as `20.19.1` is new enough. */
export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > minimumNode[0] || (major === minimumNode[0] && minor >= minimumNode[1]);
}

/** A problem where Node.js is too old. */
export function checkNodeVersion(version: string): Problem[] {
  if (isNewEnough(version)) return [];
  return [
    {
      code: 'RUN1021',
      severity: 'error',
      message: `this job runs with Node.js ${version}, and needs ${minimumNode.join('.')} or newer`,
      hint: "set nodeCommand in the site, or load the site's module for a newer Node.js",
    },
  ];
}
