import { onnxRuntime } from '../../orchestrator/support/start.js';
import { hasCompiler, servers } from './servers.js';

/** Part that a store on a server needs and this machine lacks; empty where it has all. */
export const lacks: string =
  servers.length === 0
    ? 'a server'
    : !hasCompiler
      ? 'a C compiler'
      : onnxRuntime === undefined
        ? 'onnxruntime-node'
        : '';
