import type { InferenceError, InferenceProblem } from '../inference/index.js';
import { outOfMemoryText } from './room.js';

/** Error lines by problem: RedisAI's words, and those of the frameworks, where they have any. */
const lines: Readonly<Record<InferenceProblem, (message: string) => string>> = {
  model: (message) => message,
  backend: (message) => `ERR Could not load backend: ${message}`,
  device: (message) => `ERR Invalid DEVICE: ${message}`,
  'no-gpu': (message) => `ERR GPU requested but ${message}`,
  'batch-size': () => 'ERR Model did not generate the expected batch size',
  memory: () => outOfMemoryText,
  stopped: (message) => `ERR Exiting due to terminate flag being set to true: ${message}`,
  'not-begun': (message) => `ERR ${message}`,
  'timed-out': (message) => `TIMEDOUT ${message}`,
  failed: (message) => `ERR ${message}`,
};

/** The error line for a model that could not be loaded or run. */
export function lineOf({ problem, message }: InferenceError): string {
  return lines[problem](message);
}
