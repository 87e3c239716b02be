import { Command, InvalidArgumentError, Option } from 'commander';
import { packageVersion } from '../../compiler/package-version.js';
import { WorkflowError } from '../../diagnostics/index.js';
import { engineNames, engines, parseMemoryMiB } from '../../ir/index.js';
import { isAmong } from '../../ml/devices.js';
import { keepDebuggerClosed } from '../../runtime/job/keep-debugger-closed.js';
import {
  devicesHere,
  evictionPolicies,
  gpusHere,
  type OrchestratorOptions,
  onnxRuntimeVersion,
} from '../../runtime/orchestrator/index.js';
import { quoteShellWord } from '../../targets/quoting.js';
import { ExitCode, reportFailure } from '../failure.js';
import { installedOnnxRuntime } from '../installed-onnx-runtime.js';
import { needsLinux } from '../needs-linux.js';
import { reportLoad } from '../orchestrator/load-report.js';
import { type Log, logLevels, logOn } from '../orchestrator/log.js';
import { type OrchestratorFlags, settingsOf } from '../orchestrator/settings.js';
import { checkFlags, startEngineByHand } from '../orchestrator/start-engine.js';
import { stopSignals } from '../uninterrupted.js';
import { wholeNumber } from '../whole-number.js';

const reportSeconds = 60;

/** `simwright orchestrator`: a store by hand, until SIGTERM or Ctrl-C. */
export function orchestratorCommand(): Command {
  return new Command('orchestrator')
    .addOption(
      new Option('--engine <name>', 'the program that it is (docs/engines.md)')
        .choices(engineNames)
        .default('embedded'),
    )
    .option('--redisai <path>', "with --engine redisai: redisai.so (default: $RAI_PATH, with $REDIS_PATH's server)")
    .option('--port <port>', 'TCP port; 0 for a free one', wholeNumber(0, 65535), 6379)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--socket <path>', 'listen on a Unix socket instead')
    .addOption(
      new Option('--permissions <mode>', 'mode bits of the socket, octal').argParser(octal).default(0o700, '700'),
    )
    .option('--allow <address...>', 'peers on other machines that are served')
    .option(
      '--allow-folder <folder>',
      'folder whose file names are the peers that are served; read again for unknown peers',
    )
    .option('--no-peer-check', 'serve processes of other users of this machine too')
    .option('--max-clients <n>', 'connections at a time', wholeNumber(1, 1_000_000))
    .option('--max-memory <amount>', "memory for data: '16G'", memoryBytes)
    .addOption(
      new Option('--eviction <policy>', 'policy for evicting keys when memory is used up')
        .choices(evictionPolicies)
        .default('noeviction'),
    )
    .option('--max-bulk <amount>', "the longest argument of a command: '512M'", memoryBytes)
    .option(
      '--checkpoint <seconds-and-file...>',
      "save into a file every so many seconds, and read it at the start: '300 FILE'",
    )
    .option('--devices <device...>', 'devices for models: CPU, GPU:0, … (default: all that exist)')
    .option('--map-device <from=to...>', "devices that others stand in for: 'GPU:0=CPU'")
    .option(
      '--python <path>',
      'the Python with PyTorch, TensorFlow, TensorFlow Lite (default: $SIMWRIGHT_PYTHON, else python3)',
    )
    .option(
      '--preload-backends <backend...>',
      "frameworks to start before the first client is served: 'TORCH,TF', on a GPU 'TORCH@GPU:0'",
    )
    .option('--threads-per-queue <n>', 'inference threads, or worker processes, a device', wholeNumber(1, 1024))
    .option('--inter-op-threads <n>', 'threads between operators of a model', wholeNumber(1, 1024))
    .option('--intra-op-threads <n>', 'threads within an operator of a model', wholeNumber(1, 1024))
    .option(
      '--execution-timeout <seconds>',
      'stop a run of a model that takes longer (default: 60)',
      wholeNumber(1, 31_536_000),
    )
    .option(
      '--busy-poll <microseconds>',
      'time to poll for the next request before a thread sleeps; 0: sleep at once (default: 500, on a single CPU 0)',
      wholeNumber(0, 1_000_000),
    )
    .option(
      '--report [seconds]',
      `log memory, keys, clients and rates every ${reportSeconds} s`,
      wholeNumber(1, 86_400),
    )
    .addOption(new Option('--log-level <level>', 'debug also logs each command').choices(logLevels).default('info'))
    .option('--json', 'print the line that says it is ready, and log, as JSON')
    .action(start);
}

async function start(flags: OrchestratorFlags): Promise<void> {
  keepDebuggerClosed();
  const stopped = stopSignal();
  const log = logOn(process.stderr, flags.logLevel, flags.json === true);
  try {
    needsLinux('orchestrator');
    checkFlags(flags);
    const shutdown = new AbortController();
    const onnxRuntime = installedOnnxRuntime();
    const settings: OrchestratorOptions = {
      ...settingsOf(flags),
      version: packageVersion(),
      ...(onnxRuntime !== undefined && { onnxRuntime }),
      onShutdown: () => shutdown.abort(),
      log,
    };
    const { hasAiLayer } = engines[flags.engine];
    const here = hasAiLayer ? devicesHere(onnxRuntime) : [];
    const { devices = here, mapDevice = {} } = settings;
    checkDevices(devices, [...here, ...gpusHere().map((number) => `GPU:${number}`)]);
    const { orchestrator, programs, died } = await startEngineByHand(flags, settings);
    const { addresses } = orchestrator;
    const ready = {
      addresses,
      devices,
      mapDevice,
      onnxRuntime: (hasAiLayer && onnxRuntimeVersion(onnxRuntime)) || null,
      engine: flags.engine,
      server: programs === undefined ? null : { path: programs.server.path, version: programs.server.version },
    };
    process.stdout.write(`${readyLine(ready, flags.json === true)}\n`);
    const endReports =
      flags.report === undefined
        ? undefined
        : reportLoad(() => orchestrator.stats(), flags.report === true ? reportSeconds : flags.report, log);
    try {
      await Promise.race([stopped, aborted(shutdown.signal), died]);
    } finally {
      endReports?.();
      await orchestrator.close();
    }
    process.exitCode = ExitCode.done;
    if (orchestrator.isStuck) endByForce(log);
  } catch (error) {
    if (flags.json === true && error instanceof WorkflowError) {
      for (const { code, message, hint } of error.problems) log('error', message, { code, hint });
      process.exitCode = error.code.startsWith('CLI') ? ExitCode.usage : ExitCode.workflowErrors;
    } else process.exitCode = reportFailure(error);
  }
}

/** Node waits for threads when it ends, and a model that nothing can stop would keep it: everything is saved and answered by now. */
function endByForce(log: Log): void {
  log('warn', 'a model still runs, which only the end of this process stops: it is killed');
  process.kill(process.pid, 'SIGKILL');
}

/** The devices that are asked for must be there. @throws WorkflowError */
function checkDevices(asked: readonly string[], here: readonly string[]): void {
  const missing = asked.find((device) => /^GPU/i.test(device) && !isAmong(here, device));
  if (missing === undefined) return;
  throw new WorkflowError({
    code: 'CLI1001',
    message: `no model can run on ${missing} here: there is ${here.join(', ') || 'no ONNX Runtime'}`,
    hint: `the GPU's driver has to be there, and a framework that runs on it; to do without: '--map-device ${missing}=CPU'`,
  });
}

interface Ready {
  readonly addresses: readonly string[];
  readonly devices: readonly string[];
  readonly mapDevice: Readonly<Record<string, string>>;
  /** Version of ONNX Runtime; null if it is not installed. */
  readonly onnxRuntime: string | null;
  readonly engine: string;
  /** The server that it runs on; null for an embedded store. */
  readonly server: { readonly path: string; readonly version: string } | null;
}

function readyLine(ready: Ready, json: boolean): string {
  const version = packageVersion();
  if (json) return JSON.stringify({ ready: true, ...ready, version, pid: process.pid });
  const { addresses, devices, mapDevice, onnxRuntime, engine, server } = ready;
  const mapped = Object.entries(mapDevice).map((pair) => pair.join('='));
  return [
    `ready: SSDB=${quoteShellWord(addresses.join(','))}`,
    'SR_DB_TYPE=Standalone',
    `devices=${[...devices, ...mapped].join(',') || 'none'}`,
    `simwright=${version}`,
    `onnxruntime=${onnxRuntime ?? 'none'}`,
    ...(server === null ? [] : [`engine=${engine}`, `server=${server.path} ${server.version}`]),
  ].join(' ');
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of stopSignals) process.once(signal, () => resolve());
  });
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
