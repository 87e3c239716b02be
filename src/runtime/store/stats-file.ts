import { writeAtomically } from '../job/write-atomically.js';
import type { OrchestratorStats } from '../orchestrator/index.js';

/** Milliseconds between two looks. */
const intervalMs = 1000;

/** Keeps a JSON file with a store's statistics up to date, for the live view. Returns a function that ends that. */
export function keepStatsFile(path: string, stats: () => OrchestratorStats): () => void {
  let last = '';
  const write = () => {
    const text = `${JSON.stringify(stats())}\n`;
    if (text === last) return;
    try {
      writeAtomically(path, text);
      last = text;
    } catch {
      // A full disk is no reason to end a store; the next second may be better.
    }
  };
  write();
  const timer = setInterval(write, intervalMs);
  return () => {
    clearInterval(timer);
    write();
  };
}
