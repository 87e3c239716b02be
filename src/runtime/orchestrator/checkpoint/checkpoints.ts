import { WorkflowError } from '../../../diagnostics/index.js';
import { parseDevice } from '../../../ml/devices.js';
import { newStatistics } from '../ai/values.js';
import { LendableBytes } from '../bytes/lendable-bytes.js';
import type { Inference } from '../inference/index.js';
import type { Keyspace } from '../keyspace/keyspace.js';
import type { StoredValue } from '../keyspace/values.js';
import { removeTemporaries } from './files.js';
import { CheckpointLock } from './lock.js';
import { readCheckpoint, type SavedEntry } from './read-checkpoint.js';
import {
  type CheckpointRecord,
  type Fingerprint,
  fingerprintOf,
  type RecordedCheckpoint,
  type SavedStore,
  type StaleKeys,
} from './record.js';
import type { Saving } from './saving.js';
import { writeCheckpoint } from './write-checkpoint.js';

const awakeMs = 1000;

/** Options of checkpoints. */
export interface CheckpointOptions {
  /** Read at the start, and written. */
  readonly file: string | undefined;
  /** File that SAVE writes if there is no such file. */
  readonly saveFile?: string | undefined;
  /** Pause between two checkpoints; undefined for none by themselves. */
  readonly seconds: number | undefined;
  readonly onError: (message: string) => void;
  /** Identity of this start of the store, and on how many nodes it runs. */
  readonly storeId: string;
  readonly nodes: number;
  /** Record of what the file holds; undefined if nobody asks. */
  readonly record: CheckpointRecord | undefined;
  /** Keys that are not brought back from the file, asked for if there is one. Default: none. */
  readonly stale?: (() => Promise<StaleKeys>) | undefined;
}

/** Saves a store to one file, and brings it back from there. */
export class Checkpoints implements Saving {
  readonly #keyspace: Keyspace;
  readonly #options: CheckpointOptions;
  #lastMs = Date.now();
  #lastFailed = false;
  #savedChanges = 0;
  /** The file as it is; undefined before one has been read or written. */
  #held: RecordedCheckpoint | undefined;
  #earlier: readonly SavedStore[] = [];
  /** Nothing is written to the store any more. */
  #isOver = false;
  #lock: CheckpointLock | undefined;
  #timer: NodeJS.Timeout | undefined;
  #current: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(keyspace: Keyspace, options: CheckpointOptions) {
    this.#keyspace = keyspace;
    this.#options = options;
  }

  get file(): string | undefined {
    return this.#options.file ?? this.#options.saveFile;
  }

  get isAsked(): boolean {
    return this.#options.file !== undefined;
  }

  get inProgress(): boolean {
    return this.#current !== undefined;
  }

  get lastMs(): number {
    return this.#lastMs;
  }

  get unsavedChanges(): number {
    return this.#keyspace.changes - this.#savedChanges;
  }

  get lastFailed(): boolean {
    return this.#lastFailed;
  }

  /** Reads the file, if there is one: all of it or nothing. @throws WorkflowError */
  async load(inference: Inference): Promise<void> {
    const { file } = this.#options;
    if (file === undefined) return;
    this.#lock = await CheckpointLock.take(file);
    await removeTemporaries(file);
    const entries = (await readCheckpoint(file)) ?? [];
    const values = new Map<SavedEntry, StoredValue>();
    // Nothing listens yet, and inference threads alone do not keep a process from ending.
    const awake = setInterval(() => undefined, awakeMs);
    try {
      for (const entry of entries) {
        const { value, key } = entry;
        values.set(entry, await loaded(inference, value, key, file));
      }
    } finally {
      clearInterval(awake);
    }
    const found = fingerprintOf(file);
    if (found === undefined) return;
    const stale = await this.#options.stale?.();
    const left = new Set<string>();
    for (const [{ key, expiresAtMs }, value] of values) {
      const owner = stale?.ownerOf(key);
      if (owner !== undefined) {
        left.add(owner);
        continue;
      }
      this.#keyspace.set(key, value);
      if (expiresAtMs !== 0) this.#keyspace.expire(key, expiresAtMs);
    }
    const read = this.#options.record?.read() ?? [];
    this.#held = { ...found, stores: read };
    this.#earlier = left.size === 0 ? read : read.map((one) => ({ ...one, without: withMore(one.without, left) }));
    // Leaving keys out changes the file, too.
    this.#savedChanges = left.size === 0 ? this.#keyspace.changes : -1;
  }

  /** Starts of stores whose keys were read from the file. */
  get restored(): readonly SavedStore[] {
    return this.#earlier;
  }

  /** Saves every so often what has changed. */
  start(): void {
    const { file, seconds } = this.#options;
    if (file === undefined || seconds === undefined) return;
    this.#timer = setInterval(() => {
      if (this.#current !== undefined) return;
      this.#keep().catch(() => undefined);
    }, seconds * 1000);
    this.#timer.unref();
  }

  /** Ends, with a last checkpoint if that is wanted. @throws WorkflowError if it cannot be written */
  async stop(save: boolean): Promise<void> {
    try {
      await this.#stop(save);
    } finally {
      await this.#lock?.release();
      this.#lock = undefined;
    }
  }

  async #stop(save: boolean): Promise<void> {
    clearInterval(this.#timer);
    for (let last = this.#next ?? this.#current; last !== undefined; last = this.#next ?? this.#current) {
      await last.catch(() => undefined);
    }
    if (!save || this.#options.file === undefined) return;
    this.#isOver = true;
    try {
      await this.#keep();
    } catch (error) {
      throw new WorkflowError({
        code: 'OUT1002',
        message: this.#describe(error),
        hint: 'what was written to the store since its last checkpoint is lost; make room there',
        cause: error,
      });
    }
  }

  /** A checkpoint of the store as it is now or later: those who ask while one is written share the next. */
  save(): Promise<void> {
    if (this.#current === undefined) {
      this.#current = this.#write().finally(() => {
        this.#current = undefined;
      });
      return this.#current;
    }
    this.#next ??= this.#current
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.save();
      });
    return this.#next;
  }

  /** Saves what has changed, or writes down that nothing has. */
  async #keep(): Promise<void> {
    if (this.#held === undefined || this.#keyspace.changes !== this.#savedChanges) return this.save();
    const held = { ...this.#held, stores: this.#storesUpTo(Date.now()) };
    try {
      this.#options.record?.write([held]);
    } catch (error) {
      throw this.#failed(error);
    }
    this.#held = held;
  }

  async #write(): Promise<void> {
    const { record } = this.#options;
    const { file } = this;
    if (file === undefined) throw new Error('there is no file to save to');
    const { changes } = this.#keyspace;
    const stores = this.#storesUpTo(Date.now());
    let written: Fingerprint;
    try {
      this.#lock ??= await CheckpointLock.take(file);
      written = await writeCheckpoint(this.#keyspace, file, this.#lock, (next) => {
        // The record names the last file and the new one, so that it is right whether or not the new file takes the last one's place.
        record?.write([...(this.#held === undefined ? [] : [this.#held]), { ...next, stores }]);
      });
    } catch (error) {
      throw this.#failed(error);
    }
    this.#savedChanges = changes;
    this.#lastMs = Date.now();
    this.#lastFailed = false;
    this.#held = { ...written, stores };
    try {
      record?.write([this.#held]);
    } catch {
      // A record that also names the previous file does no harm.
    }
  }

  /** The starts whose keys a checkpoint holds that is begun at that moment. */
  #storesUpTo(upToMs: number): SavedStore[] {
    const { storeId, nodes } = this.#options;
    return [...this.#earlier, { store: storeId, nodes, upToMs, whole: this.#isOver }];
  }

  #failed(error: unknown): unknown {
    this.#lastFailed = true;
    this.#options.onError(this.#describe(error));
    return error;
  }

  #describe(error: unknown): string {
    const why = error instanceof Error ? error.message : String(error);
    return `the checkpoint ${this.file} could not be written: ${why}`;
  }
}

function withMore(names: readonly string[] | undefined, more: ReadonlySet<string>): string[] {
  return [...new Set([...(names ?? []), ...more])];
}

/** The value as the store keeps it: models and scripts are loaded. @throws WorkflowError */
async function loaded(
  inference: Inference,
  value: SavedEntry['value'],
  key: string,
  file: string,
): Promise<StoredValue> {
  if (value.kind !== 'saved-model' && value.kind !== 'saved-script') return value;
  const device = parseDevice(value.device) ?? 'CPU';
  try {
    if (value.kind === 'saved-script') {
      const bytes = new LendableBytes(Buffer.from(new Uint8Array(value.source).buffer));
      const made = await inference.loadScript({ device, bytes });
      return { ...value, kind: 'script', loaded: made, statistics: newStatistics() };
    }
    const made = await inference.load({ ...value, device });
    return { ...value, kind: 'model', loaded: made, statistics: newStatistics() };
  } catch (error) {
    const noun = value.kind === 'saved-model' ? 'model' : 'script';
    throw new WorkflowError({
      code: 'RUN1004',
      message: `the ${noun} '${key}' of the checkpoint ${file} cannot be loaded: ${(error as Error).message}`,
      hint: `start the orchestrator with what the ${noun} needs, or move the file away to start with an empty store`,
      cause: error,
    });
  }
}
