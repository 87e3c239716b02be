import { setFlagsFromString } from 'node:v8';
import { EngineWorkers } from '../orchestrator/framed/engine-workers.js';
import type { FromWorker, ToWorker, WorkerProcessOptions } from './worker-messages.js';

/** Milliseconds between two reports of what has been done. */
const reportMs = 1000;
/**
 * Growth of a heap, in percent of what has survived, up to the next full collection. A heap of this process is small beside the tensors that
 * pass through it: with V8's own choice it is collected every ten runs of a model with inputs of 256 KiB, which costs as much as they do.
 */
const heapGrowthPercent = 300;

/** The process of the AI layer: gets its options from the process that has started it, and ends with it. Resolves with the exit code. */
export function runWorkerProcess(): Promise<number> {
  setFlagsFromString(`--heap-growing-percent=${heapGrowthPercent}`);
  return new Promise((resolve) => {
    let worker: EngineWorkers | undefined;
    // Its holder has gone, whatever has become of it.
    process.on('disconnect', () => void end(worker, 0).then(resolve));
    // A signal to the whole group of a job is for its holder, which tells this process.
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const) process.on(signal, () => undefined);
    process.on('message', (message: ToWorker) => {
      if ('start' in message) {
        worker = start(message.start, (code) => void end(worker, code).then(resolve));
      } else if ('report' in message) {
        if (worker !== undefined) report(worker, true);
      } else {
        void worker?.warmUp().then((warmedUp) => {
          if (worker !== undefined) report(worker);
          say({ warmedUp });
        });
      }
    });
  });
}

function start({ workerUrl, ...options }: WorkerProcessOptions, end: (code: number) => void): EngineWorkers {
  const worker = new EngineWorkers({
    ...options,
    ...(workerUrl !== undefined && { workerUrl: new URL(workerUrl) }),
    log: (...log) => say({ log }),
  });
  void worker.ready().then(
    () => {
      say({ ready: true });
      report(worker);
      setInterval(() => report(worker), reportMs).unref();
    },
    (error: Error) => say({ failed: error.message }),
  );
  void worker.ended.then((problem) => {
    if (problem !== undefined) say({ failed: problem.message });
    end(1);
  });
  return worker;
}

function report({ inference }: EngineWorkers, isAnswer = false): void {
  say({ stats: { inferences: inference.requests, workers: inference.workers }, isAnswer });
}

async function end(worker: EngineWorkers | undefined, code: number): Promise<number> {
  await worker?.close();
  return code;
}

function say(message: FromWorker): void {
  // Whoever has gone hears nothing any more.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}
