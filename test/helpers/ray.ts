import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FoundPython, rayPython } from '../runtime/orchestrator/support/python.js';
import { processesOf } from './leftovers.js';
import type { Workspace } from './workspace.js';

/** The Python with Ray, or why there is none. */
export const ray: FoundPython = await rayPython();

/** The words of a title where Ray is missing. */
export const skipped = 'missing' in ray ? ` (skipped: ${ray.missing})` : '';

/** Path of that Python; a test that uses it is skipped without. */
export const python = 'python' in ray ? ray.python : '';

/** Options that keep Ray small on a machine of two cores. */
export const small = "headArgs: '--object-store-memory=80000000', workerArgs: '--object-store-memory=80000000'";

/** Processes of a program of Ray that belong to a compiled folder. */
export function rayProcesses(compiled: string, program: string): number[] {
  return processesOf(compiled)
    .filter(({ command }) => command.split(' ')[0]?.endsWith(`/${program}`))
    .map(({ pid }) => pid);
}

/** Temporary folders of Ray clusters below a folder. */
export function rayFolders(of = '/tmp'): string[] {
  return readdirSync(of).filter((name) => name.startsWith('swr-'));
}

/** Address file of a running cluster; undefined while it is not there. */
export function clusterOf(workspace: Workspace, name = 'ray'): Record<string, unknown> | undefined {
  const path = workspace.path('out/run/clusters', name, 'cluster.json');
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>) : undefined;
}

/** Path of a cluster's token. */
export function tokenOf(workspace: Workspace, name = 'ray'): string {
  return join(workspace.path('out/run/clusters'), name, 'token');
}
