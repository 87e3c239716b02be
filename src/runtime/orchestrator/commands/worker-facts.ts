import type { WorkerFacts } from '../inference/index.js';

/** Facts of a worker process, as a field's value: `pid=…,backend=…,…`. */
export function workerText({ package: name, version, ...facts }: WorkerFacts): string {
  const { pid, framework, device, python, models, runs, residentBytes: bytes } = facts;
  const state = version === undefined ? 'framework=starting' : `framework=${name},version=${version}`;
  return `pid=${pid},backend=${framework},device=${device},${state},python=${python},models=${models},runs=${runs},resident_bytes=${bytes}`;
}

/** Memory that worker processes take together. */
export function residentBytes(workers: readonly WorkerFacts[]): number {
  return workers.reduce((sum, worker) => sum + worker.residentBytes, 0);
}
