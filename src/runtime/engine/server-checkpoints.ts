import { existsSync, renameSync, rmSync } from 'node:fs';
import { WorkflowError } from '../../diagnostics/index.js';
import type { Connection } from '../client/connection.js';
import { type Fingerprint, fingerprintOf } from '../orchestrator/checkpoint/record.js';
import type { OrchestratorOptions, SavedStore } from '../orchestrator/index.js';
import { readInfo } from './server-info.js';

const keysAtOnce = 1000;
const lookMs = 50;
/** Looks into the log for a reason before none is told. */
const looksForReason = 20;

/** Checkpoints of a server: files that it writes and reads by itself, and the records of what they hold. */
export class ServerCheckpoints {
  readonly #connection: Connection;
  readonly #options: OrchestratorOptions;
  readonly #said: () => readonly string[];
  /** File that the server itself writes. */
  readonly #writes: string | undefined;
  #earlier: readonly SavedStore[] = [];
  /** The file that the record tells of. */
  #recorded: Fingerprint | undefined;
  #timer: NodeJS.Timeout | undefined;
  #current: Promise<void> | undefined;
  /** True if what the server writes is the checkpoint. */
  #isLeader: boolean;
  #isWriting = false;

  /**
   * `said` gives the last lines of the server's log, in which alone it tells why it could not save; `writes` is the file that the server writes, if that
   * is another than the checkpoint, whose place it then takes.
   */
  constructor(connection: Connection, options: OrchestratorOptions, said: () => readonly string[], writes?: string) {
    this.#writes = writes;
    this.#isLeader = writes === undefined;
    this.#connection = connection;
    this.#options = options;
    this.#said = said;
  }

  /** Starts of stores whose keys the server has brought back. */
  get restored(): readonly SavedStore[] {
    return this.#earlier;
  }

  /** Deletes what is not to be brought back, and saves every so often from now on. */
  async start(): Promise<void> {
    const { checkpointFile: file, checkpointRecord: record, checkpointSeconds: seconds } = this.#options;
    if (file === undefined) return;
    const found = fingerprintOf(file);
    if (found !== undefined) {
      this.#recorded = found;
      const read = record?.read() ?? [];
      const left = await this.#deleteStale();
      this.#earlier =
        left.size === 0
          ? read
          : read.map((one) => ({ ...one, without: [...new Set([...(one.without ?? []), ...left])] }));
    }
    this.#saveEvery(seconds);
  }

  /** Goes on where a server ended whose keys this one has all: it writes that one's checkpoint from now on. */
  inherit(): void {
    const { checkpointRecord: record, checkpointSeconds, storeId } = this.#options;
    this.#earlier = (record?.read() ?? []).filter(({ store }) => store !== storeId);
    // A copy of the server that has died, or of when a client told this one to save before, is older than the checkpoint.
    if (this.#writes !== undefined) rmSync(this.#writes, { force: true });
    this.#isLeader = true;
    this.#saveEvery(checkpointSeconds);
  }

  /** Puts what a client has told the server to save in the place of the checkpoint, if the server writes another file. */
  adopt(): void {
    if (!this.#isLeader || this.#isWriting || this.#writes === undefined || !existsSync(this.#writes)) return;
    const { checkpointFile: file = '' } = this.#options;
    try {
      renameSync(this.#writes, file);
    } catch (error) {
      // It is told once, not each second.
      this.#isLeader = false;
      this.#options.log?.(
        'error',
        `the checkpoint ${file} could not be replaced by ${this.#writes}: ${messageOf(error)}`,
      );
    }
  }

  #saveEvery(seconds: number | undefined): void {
    if (seconds === undefined) return;
    this.#timer = setInterval(() => {
      this.#current ??= this.#saveChanges().finally(() => {
        this.#current = undefined;
      });
    }, seconds * 1000);
  }

  /** Ends, with a last checkpoint if that is wanted, after which nothing is written to the store. @throws WorkflowError */
  async stop(save: boolean): Promise<void> {
    clearInterval(this.#timer);
    await this.#current;
    const { checkpointFile: file } = this.#options;
    if (!save || file === undefined) return;
    try {
      await this.#connection.send('CLIENT', 'PAUSE', '600000', 'WRITE');
      await this.#write(() => this.#connection.send('SAVE'), true);
    } catch (error) {
      throw new WorkflowError({
        code: 'OUT1002',
        message: `the checkpoint ${file} could not be written: ${messageOf(error)}`,
        hint: 'what was written to the store since its last checkpoint is lost; make room there',
        cause: error,
      });
    }
  }

  async #saveChanges(): Promise<void> {
    try {
      const info = await readInfo(this.#connection);
      // A client may have saved, too: the record does not know that file.
      if (info.get('rdb_changes_since_last_save') === '0' && this.#isRecorded()) return;
      await this.#write(() => this.#saveBeside(), false);
    } catch (error) {
      this.#options.log?.(
        'error',
        `the checkpoint ${this.#options.checkpointFile} could not be written: ${messageOf(error)}`,
      );
    }
  }

  /** Saves in a process beside the server, and waits for that. */
  async #saveBeside(): Promise<void> {
    await this.#connection.send('BGSAVE');
    for (;;) {
      const info = await readInfo(this.#connection);
      if (info.get('rdb_bgsave_in_progress') === '0') {
        if (info.get('rdb_last_bgsave_status') !== 'ok') throw new Error('the server could not save');
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
  }

  async #write(save: () => Promise<unknown>, isOver: boolean): Promise<void> {
    this.#isWriting = true;
    try {
      await this.#writeRecorded(save, isOver);
    } finally {
      this.#isWriting = false;
    }
  }

  async #writeRecorded(save: () => Promise<unknown>, isOver: boolean): Promise<void> {
    const { checkpointFile: file = '', checkpointRecord: record, storeId = '', nodes = 1 } = this.#options;
    const stores = [...this.#earlier, { store: storeId, nodes, upToMs: Date.now(), whole: isOver }];
    const before = this.#said().at(-1);
    try {
      await save();
    } catch (error) {
      throw new Error((await this.#reasonAfter(before)) ?? messageOf(error), { cause: error });
    }
    if (this.#writes !== undefined) renameSync(this.#writes, file);
    const written = fingerprintOf(file);
    if (written === undefined) throw new Error('the server left no file');
    record?.write([{ ...written, stores }]);
    this.#recorded = written;
  }

  #isRecorded(): boolean {
    const { checkpointFile: file = '' } = this.#options;
    const found = fingerprintOf(file);
    return found?.bytes === this.#recorded?.bytes && found?.crc === this.#recorded?.crc;
  }

  /** The line in which the server tells why it has not saved, which may come after its answer. */
  async #reasonAfter(last: string | undefined): Promise<string | undefined> {
    for (let look = 0; look < looksForReason; look += 1) {
      const lines = this.#said();
      const since = lines.slice(last === undefined ? 0 : lines.lastIndexOf(last) + 1);
      const reason = since.find((line) =>
        /Write error|Failed opening|Error moving|Can't save|fsync|close.*error/i.test(line),
      );
      if (reason !== undefined) return reason.replace(/^[#*] /, '');
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
    return undefined;
  }

  /** Owners of the keys that are deleted, since whoever wrote them runs again. */
  async #deleteStale(): Promise<ReadonlySet<string>> {
    const owners = new Set<string>();
    const stale = await this.#options.staleKeys?.();
    if (stale === undefined) return owners;
    let cursor = '0';
    do {
      const [next, keys] = (await this.#connection.send('SCAN', cursor, 'COUNT', String(keysAtOnce))) as [
        Buffer,
        Buffer[],
      ];
      for (const key of keys) {
        const owner = stale.ownerOf(key.toString('latin1'));
        if (owner === undefined) continue;
        owners.add(owner);
        await this.#connection.send('UNLINK', key);
      }
      cursor = String(next);
    } while (cursor !== '0');
    return owners;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
