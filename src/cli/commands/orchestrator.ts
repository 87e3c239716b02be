import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { packageVersion } from '../../compiler/package-version.js';
import { WorkflowError } from '../../diagnostics/index.js';
import { parseMemoryMiB } from '../../ir/index.js';
import {
  type EvictionPolicy,
  evictionPolicies,
  type OrchestratorOptions,
  startOrchestrator,
  type TcpListen,
  type UnixListen,
} from '../../runtime/orchestrator/index.js';
import { ExitCode, reportFailure } from '../failure.js';
import { stopSignals } from '../uninterrupted.js';

interface Options {
  readonly port: number;
  readonly host: string;
  readonly socket?: string;
  readonly permissions: number;
  readonly allow?: string[];
  readonly maxMemory?: number;
  readonly eviction?: EvictionPolicy;
  readonly checkpoint?: string[];
  readonly maxBulk?: number;
  readonly logLevel: LogLevel;
  readonly threadsPerQueue?: number;
  readonly interOpThreads?: number;
  readonly intraOpThreads?: number;
  readonly maxClients?: number;
  readonly peerCheck: boolean;
  readonly json?: boolean;
}

type LogLevel = (typeof logLevels)[number];

/** From the least to the most important. */
const logLevels = ['debug', 'info', 'warn', 'error'] as const;

/** `simwright orchestrator`: a store by hand, until SIGTERM or Ctrl-C. */
export function orchestratorCommand(): Command {
  return new Command('orchestrator')
    .option('--port <port>', 'TCP port; 0 for a free one', integer(0, 65535), 6379)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--socket <path>', 'listen on a Unix socket instead')
    .option('--permissions <mode>', 'mode bits of the socket, octal', octal, 0o700)
    .option('--allow <address...>', 'peers beyond this machine that are served')
    .option('--max-memory <amount>', "memory for data: '16G'", memoryBytes)
    .addOption(
      new Option('--eviction <policy>', 'what is thrown out when memory is used up')
        .choices(evictionPolicies)
        .default('noeviction'),
    )
    .option('--checkpoint <seconds-and-file...>', 'save what changes every so many seconds; read the file at the start')
    .option('--max-bulk <amount>', "the longest argument of a command: '512M'", memoryBytes)
    .addOption(new Option('--log-level <level>', 'debug also logs each command').choices(logLevels).default('info'))
    .option('--threads-per-queue <n>', 'inference threads a device', integer(1, 1024))
    .option('--inter-op-threads <n>', 'threads between operators of a model', integer(1, 1024))
    .option('--intra-op-threads <n>', 'threads within an operator of a model', integer(1, 1024))
    .option('--max-clients <n>', 'connections at a time', integer(1, 1_000_000))
    .option('--no-peer-check', 'serve processes of other users of this machine too')
    .option('--json', 'print the line that says it is ready as JSON')
    .action(start);
}

async function start(options: Options): Promise<void> {
  const stopped = stopSignal();
  try {
    const shutdown = new AbortController();
    const orchestrator = await startOrchestrator(orchestratorOptions(options, shutdown));
    const ready = { ready: true, addresses: orchestrator.addresses, version: packageVersion(), pid: process.pid };
    const line = options.json
      ? JSON.stringify(ready)
      : `ready: SSDB=${orchestrator.addresses.join(',')} SR_DB_TYPE=Standalone`;
    process.stdout.write(`${line}\n`);
    await Promise.race([stopped, aborted(shutdown.signal)]);
    await orchestrator.close();
    process.exitCode = ExitCode.done;
  } catch (error) {
    process.exitCode = reportFailure(error);
  }
}

function orchestratorOptions(options: Options, shutdown: AbortController): OrchestratorOptions {
  const listen: TcpListen | UnixListen =
    options.socket === undefined
      ? { kind: 'tcp', host: options.host, port: options.port }
      : { kind: 'unix', path: options.socket, permissions: options.permissions };
  const onnxRuntime = installedOnnxRuntime();
  return {
    listen: [listen],
    peerCheck: options.peerCheck,
    ...(options.allow === undefined ? {} : { allow: { addresses: options.allow } }),
    ...(onnxRuntime === undefined ? {} : { onnxRuntime }),
    ...(options.maxMemory === undefined ? {} : { maxMemoryBytes: options.maxMemory }),
    ...(options.eviction === undefined ? {} : { evictionPolicy: options.eviction }),
    ...(options.maxBulk === undefined ? {} : { maxBulkBytes: options.maxBulk }),
    ...checkpointOptions(options.checkpoint),
    onShutdown: () => shutdown.abort(),
    logCommands: options.logLevel === 'debug',
    ...(options.threadsPerQueue === undefined ? {} : { threadsPerQueue: options.threadsPerQueue }),
    ...(options.interOpThreads === undefined ? {} : { interOpThreads: options.interOpThreads }),
    ...(options.intraOpThreads === undefined ? {} : { intraOpThreads: options.intraOpThreads }),
    ...(options.maxClients === undefined ? {} : { maxClients: options.maxClients }),
    log: (level, message) => {
      if (logLevels.indexOf(level) < logLevels.indexOf(options.logLevel)) return;
      process.stderr.write(`${options.json ? JSON.stringify({ level, message }) : `${level}: ${message}`}\n`);
    },
  };
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

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** ONNX Runtime beside this package, if it is installed. */
function installedOnnxRuntime(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  } catch {
    return undefined;
  }
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of stopSignals) process.once(signal, () => resolve());
  });
}

function integer(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`a whole number from ${least} to ${most} is needed.`);
  };
}

function octal(text: string): number {
  if (/^0?[0-7]{3}$/.test(text)) return Number.parseInt(text, 8);
  throw new InvalidArgumentError('three octal digits are needed, such as 700.');
}

function memoryBytes(text: string): number {
  const value = parseMemoryMiB(text);
  if (value !== undefined) return value * 1024 * 1024;
  throw new InvalidArgumentError("a number and its unit are needed: '512M', '16G'.");
}
