import { resolve } from 'node:path';
import { WorkflowError } from '../../diagnostics/index.js';
import type { EngineName } from '../../ir/index.js';
import { asBackend, type BackendName, backendNames } from '../../ml/backends.js';
import { parseDevice } from '../../ml/devices.js';
import type { EvictionPolicy, OrchestratorOptions, TcpListen, UnixListen } from '../../runtime/orchestrator/index.js';
import { pythonPath } from '../../runtime/orchestrator/inference/python/index.js';
import type { LogLevel } from './log.js';

/** Files that SAVE writes without `--checkpoint`, in the working directory. */
const defaultSaveFiles = { embedded: 'dump.simwright', server: 'dump.rdb' } as const;

/** Options of the command line. */
export interface OrchestratorFlags {
  readonly engine: EngineName;
  readonly redisai?: string;
  readonly port: number;
  readonly host: string;
  readonly socket?: string;
  readonly permissions: number;
  readonly allow?: readonly string[];
  readonly allowFolder?: string;
  readonly peerCheck: boolean;
  readonly maxMemory?: number;
  readonly eviction?: EvictionPolicy;
  readonly checkpoint?: readonly string[];
  readonly maxBulk?: number;
  readonly maxClients?: number;
  readonly devices?: readonly string[];
  readonly mapDevice?: readonly string[];
  readonly python?: string;
  readonly preloadBackends?: readonly string[];
  readonly threadsPerQueue?: number;
  readonly interOpThreads?: number;
  readonly intraOpThreads?: number;
  readonly executionTimeout?: number;
  readonly busyPoll?: number;
  readonly report?: number | true;
  readonly logLevel: LogLevel;
  readonly json?: boolean;
}

/** Settings from the flags, without those that depend on this process. @throws WorkflowError */
export function settingsOf(flags: OrchestratorFlags): OrchestratorOptions {
  const listen: TcpListen | UnixListen =
    flags.socket === undefined
      ? { kind: 'tcp', host: flags.host, port: flags.port }
      : { kind: 'unix', path: flags.socket, permissions: flags.permissions };
  return {
    listen: [listen],
    peerCheck: flags.peerCheck,
    allow: {
      ...(flags.allow !== undefined && { addresses: flags.allow }),
      ...(flags.allowFolder !== undefined && { folder: resolve(flags.allowFolder) }),
    },
    logCommands: flags.logLevel === 'debug',
    ...(flags.maxMemory !== undefined && { maxMemoryBytes: flags.maxMemory }),
    ...(flags.eviction !== undefined && { evictionPolicy: flags.eviction }),
    ...(flags.maxBulk !== undefined && { maxBulkBytes: flags.maxBulk }),
    ...(flags.maxClients !== undefined && { maxClients: flags.maxClients }),
    ...(flags.devices !== undefined && { devices: listed(flags.devices) }),
    ...(flags.mapDevice !== undefined && { mapDevice: deviceMap(listed(flags.mapDevice)) }),
    ...(flags.python !== undefined && { python: pythonNamed(flags.python) }),
    ...(flags.preloadBackends !== undefined && { preloadBackends: backendsNamed(listed(flags.preloadBackends)) }),
    ...(flags.threadsPerQueue !== undefined && { threadsPerQueue: flags.threadsPerQueue }),
    ...(flags.interOpThreads !== undefined && { interOpThreads: flags.interOpThreads }),
    ...(flags.intraOpThreads !== undefined && { intraOpThreads: flags.intraOpThreads }),
    ...(flags.executionTimeout !== undefined && { executionTimeoutSeconds: flags.executionTimeout }),
    ...(flags.busyPoll !== undefined && { busyPollMicros: flags.busyPoll }),
    saveFile: resolve(defaultSaveFiles[flags.engine === 'embedded' ? 'embedded' : 'server']),
    ...checkpointOptions(flags.checkpoint),
  };
}

/** `CPU GPU:0` and `CPU,GPU:0` mean the same. */
function listed(words: readonly string[]): string[] {
  return words.flatMap((word) => word.split(',')).filter((word) => word !== '');
}

/** Absolute path of a Python that is given by a path, or by its name on the PATH. @throws WorkflowError */
function pythonNamed(given: string): string {
  const path = pythonPath(given);
  if (path !== undefined) return path;
  throw new WorkflowError({
    code: 'CLI1001',
    message: `--python ${given}: there is no such program`,
    hint: "name the Python that has the frameworks: a path, or a program of the PATH ('python3.11')",
  });
}

/** Backends, each with its device: `TORCH` is on the CPU, `TORCH@GPU:1` on a GPU. @throws WorkflowError */
function backendsNamed(words: readonly string[]): { readonly backend: BackendName; readonly device: string }[] {
  return words.map((word) => {
    const [name = '', place = 'CPU', more] = word.toUpperCase().split('@');
    const [backend, device] = [asBackend(name), parseDevice(place)];
    if (backend !== undefined && device !== undefined && more === undefined) return { backend, device };
    throw new WorkflowError({
      code: 'CLI1001',
      message: `--preload-backends ${word}: there is no such backend`,
      hint: `there are: ${backendNames.join(', ')}; a device may follow: 'TORCH@GPU:0'`,
    });
  });
}

function deviceMap(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [from, to, more] = pair.split('=');
      if (from !== undefined && to !== undefined && more === undefined) return [from, to];
      throw new WorkflowError({
        code: 'CLI1001',
        message: `--map-device ${pair} does not name two devices`,
        hint: "write the device that models ask for, '=', and the device that they get: '--map-device GPU:0=CPU'",
      });
    }),
  );
}

function checkpointOptions(words: readonly string[] | undefined): Partial<OrchestratorOptions> {
  if (words === undefined) return {};
  const [seconds, file] = words;
  if (words.length !== 2 || file === undefined || !/^\d{1,9}(\.\d+)?$/.test(seconds ?? '') || Number(seconds) <= 0) {
    throw new WorkflowError({
      code: 'CLI1001',
      message: `--checkpoint ${words.join(' ')} does not say how often to save and where`,
      hint: "seconds and a file are needed: '--checkpoint 300 store.checkpoint'",
    });
  }
  return { checkpointSeconds: Number(seconds), checkpointFile: resolve(file) };
}
