import { performance } from 'node:perf_hooks';
import type { OrchestratorStats } from '../../runtime/orchestrator/index.js';
import type { Log } from './log.js';

/** Logs a store's load at intervals. Returns a function that ends this. */
export function reportLoad(stats: () => OrchestratorStats, seconds: number, log: Log): () => void {
  let before = { at: performance.now(), ...stats() };
  const timer = setInterval(() => {
    const now = { at: performance.now(), ...stats() };
    const elapsed = (now.at - before.at) / 1000;
    const load = {
      usedBytes: now.usedBytes,
      residentBytes: now.residentBytes ?? process.memoryUsage.rss(),
      keys: now.keys,
      clients: now.clients,
      requestsPerSecond: rate(now.requests - before.requests, elapsed),
      inferencesPerSecond: rate(now.inferences - before.inferences, elapsed),
    };
    before = now;
    const workers = now.workers.map(({ framework, device, package: name, version, models, runs, residentBytes }) => {
      const what = version === undefined ? 'starting' : `${name} ${version}`;
      return `${framework} worker on ${device} (${what}) with ${models} models, ${runs} runs, ${mebibytes(residentBytes)} MiB`;
    });
    log('info', [lineOf(load), ...workers].join('; '), { load: { ...load, workers: now.workers } });
  }, seconds * 1000);
  timer.unref();
  return () => clearInterval(timer);
}

function rate(count: number, seconds: number): number {
  return Math.round((count / seconds) * 10) / 10;
}

function lineOf(load: Readonly<Record<string, number>> & { usedBytes: number; residentBytes: number }): string {
  return [
    `load: ${mebibytes(load.usedBytes)} MiB in ${load['keys']} keys`,
    `${mebibytes(load.residentBytes)} MiB resident`,
    `${load['clients']} clients`,
    `${load['requestsPerSecond']} requests/s`,
    `${load['inferencesPerSecond']} inferences/s`,
  ].join(', ');
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}
