import { onnxRuntime } from '../../orchestrator/support/start.js';
import { hasCompiler, servers } from './servers.js';

/** Parts that tests need, by their names with an article: a part that is undefined or false is not there. */
type Parts = Readonly<Record<string, unknown>>;

/** Name of the first part that this machine lacks; empty where it has all. */
export function firstLack(parts: Parts): string {
  return Object.entries(parts).find(([, part]) => part === undefined || part === false)?.[0] ?? '';
}

/** The same of these parts and of what builds the module. */
export function lackOfModule(parts: Parts): string {
  return firstLack({ ...parts, 'a C compiler': hasCompiler });
}

/** The same of these parts and of what builds the module and runs models. */
export function lackOfStore(parts: Parts): string {
  return firstLack({ ...parts, 'a C compiler': hasCompiler, 'onnxruntime-node': onnxRuntime });
}

/** Part that a store on a server needs and this machine lacks; empty where it has all. */
export const lacks: string = lackOfStore({ 'a server': servers[0] });

/** Title of tests that are skipped where a part is not there: it says which. */
export function orSkipped(title: string, lack: string): string {
  return lack === '' ? title : `${title} (skipped: there is no ${lack.replace(/^an? /, '')})`;
}
