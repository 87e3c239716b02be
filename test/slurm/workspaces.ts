import { expect, type TestContext } from 'vitest';
import { processesOf } from '../helpers/leftovers.js';
import { simwright } from '../helpers/simwright.js';
import { Workspace } from '../helpers/workspace.js';
import { waitUntil } from '../runtime/support/wait-until.js';

/** A workspace that all nodes see: /tmp is each node's own. A test that runs beside others gives its context. */
export const sharedWorkspace = (context?: TestContext) => new Workspace('/var/tmp', context);

/** Compiles its workflow.ts for Slurm, into the folder `out`. */
export async function compileForSlurm(workspace: Workspace, ...words: readonly string[]): Promise<void> {
  const end = await simwright(workspace, 'compile', 'workflow.ts', '--site', 'slurm', '--out', 'out', ...words);
  expect(end.stderr).not.toContain('error');
  expect(end.exitCode).toBe(0);
}

/** What a job has written to its log. */
export const log = (workspace: Workspace, name: string) => workspace.lines('out/logs', name).join('\n');

/** Waits until no process works on what was compiled to the folder. */
export const nothingLeft = (folder: string) =>
  waitUntil('no process is left', () => {
    const left = processesOf(folder);
    return left.length === 0 || JSON.stringify(left);
  });
