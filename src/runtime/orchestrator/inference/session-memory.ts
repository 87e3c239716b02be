import { InferenceError } from './inference-error.js';
import { laneModelBytes } from './main-lane.js';
import type { SessionSettings } from './messages.js';
import type { LoadedFacts, Runner } from './runner.js';
import type { ByteSource } from './tensor.js';

/** Counts the memory that sessions take. */
export interface SessionMemory {
  /** Reserves memory for a while. False if there is not enough. */
  reserve(bytes: number): boolean;
  add(bytes: number): void;
  release(bytes: number): void;
}

/** Memory that a session takes besides its weights, in bytes. */
const sessionOverheadBytes = 256 * 1024;
/** Memory taken while a session is made, as a multiple of the model's bytes. */
const loadingFactor = 3;

/** Makes a session, whose memory is counted as long as it is there. @throws InferenceError */
export async function loadCounted(
  memory: SessionMemory | undefined,
  runner: Runner,
  id: number,
  bytes: ByteSource,
  settings: SessionSettings,
): Promise<LoadedFacts> {
  const transient = loadingFactor * bytes.byteLength;
  if (memory?.reserve(transient) === false) {
    throw new InferenceError('memory', 'there is no memory left for a session of the model');
  }
  try {
    const facts = await runner.load(id, bytes, settings);
    // Small ones may get another one on the main thread.
    const sessions = bytes.byteLength <= laneModelBytes ? 2 : 1;
    const taken = sessions * (bytes.byteLength + sessionOverheadBytes);
    memory?.add(taken);
    runner.onUnload(id, () => memory?.release(taken));
    return facts;
  } finally {
    memory?.release(transient);
  }
}
