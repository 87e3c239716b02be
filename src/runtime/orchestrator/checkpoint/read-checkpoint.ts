import type { FileHandle } from 'node:fs/promises';
import { WorkflowError } from '../../../diagnostics/index.js';
import { asBackend, type BackendName, backends } from '../../../ml/backends.js';
import { parseDtype } from '../../../ml/dtypes.js';
import { LendableBytes } from '../bytes/lendable-bytes.js';
import type { BatchOptions } from '../inference/index.js';
import type { HashValue, ListValue, StoredValue } from '../keyspace/values.js';
import { CheckpointReader, DamagedError } from './checkpoint-reader.js';
import { openRegularFile } from './files.js';
import { formatVersion, magic, recordKinds } from './format.js';

/** A model that has not been loaded yet. */
export interface SavedModel {
  readonly kind: 'saved-model';
  readonly backend: BackendName;
  readonly device: string;
  readonly tag: Buffer;
  readonly batch: BatchOptions;
  /** Names that its backend was told. */
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly bytes: LendableBytes;
}

/** A script that has not been loaded yet. */
export interface SavedScript {
  readonly kind: 'saved-script';
  readonly device: string;
  readonly tag: Buffer;
  readonly entryPoints: readonly string[];
  readonly source: Buffer;
}

/** A key in a checkpoint. */
export interface SavedEntry {
  readonly key: string;
  /** Milliseconds since 1970; 0 for never. */
  readonly expiresAtMs: number;
  readonly value: Exclude<StoredValue, { kind: 'model' | 'script' }> | SavedModel | SavedScript;
}

/** All entries of a checkpoint, undefined if there is no such file. @throws WorkflowError if the file is damaged */
export async function readCheckpoint(path: string): Promise<SavedEntry[] | undefined> {
  let file: FileHandle;
  try {
    file = await openRegularFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusable(path, error);
  }
  try {
    const { size } = await file.stat();
    return await entriesOf(new CheckpointReader(file, size), path);
  } catch (error) {
    throw error instanceof WorkflowError ? error : unusable(path, error);
  } finally {
    await file.close();
  }
}

function unusable(path: string, error: unknown): WorkflowError {
  const message =
    error instanceof DamagedError
      ? `the checkpoint ${path} is damaged: ${error.message}`
      : `the checkpoint ${path} cannot be read: ${(error as Error).message}`;
  return new WorkflowError({
    code: 'RUN1004',
    message,
    hint: 'nothing was loaded; move the file away to start with an empty store, or put an intact copy in its place',
    cause: error,
  });
}

async function entriesOf(reader: CheckpointReader, path: string): Promise<SavedEntry[]> {
  if (!(await reader.raw(magic.length)).equals(magic)) throw new DamagedError('it is no checkpoint of a store');
  const version = await reader.number();
  if (version !== formatVersion) {
    throw new WorkflowError({
      code: 'RUN1004',
      message: `the checkpoint ${path} has the format ${version}; this version reads ${formatVersion}`,
      hint: 'start the orchestrator of the version that wrote it',
    });
  }
  const entries: SavedEntry[] = [];
  for (;;) {
    const kind = await reader.byte();
    if (kind === recordKinds.end) break;
    const key = await reader.text();
    const expiresAtMs = await reader.number();
    entries.push({ key, expiresAtMs, value: await savedValue(reader, kind) });
  }
  if ((await reader.number()) !== entries.length) throw new DamagedError('it does not hold as many keys as it says');
  await reader.end();
  return entries;
}

async function textsOf(reader: CheckpointReader): Promise<string[]> {
  const texts: string[] = [];
  for (let left = await reader.count(8); left > 0; left -= 1) texts.push(await reader.text());
  return texts;
}

async function savedValue(reader: CheckpointReader, kind: number): Promise<SavedEntry['value']> {
  switch (kind) {
    case recordKinds.string:
      return { kind: 'string', bytes: new LendableBytes(await reader.bytes()) };
    case recordKinds.list: {
      const members: ListValue['members'] = [];
      for (let left = await reader.count(8); left > 0; left -= 1) members.push(await reader.bytes());
      return { kind: 'list', members };
    }
    case recordKinds.hash: {
      const fields: HashValue['fields'] = new Map();
      for (let left = await reader.count(16); left > 0; left -= 1) {
        const field = await reader.text();
        fields.set(field, await reader.bytes());
      }
      return { kind: 'hash', fields };
    }
    case recordKinds.tensor: {
      const dtype = parseDtype(await reader.text());
      if (dtype === undefined) throw new DamagedError('a tensor has no known type');
      const shape: number[] = [];
      for (let left = await reader.count(8); left > 0; left -= 1) shape.push(await reader.number());
      return { kind: 'tensor', dtype, shape, bytes: new LendableBytes(await reader.bytes()) };
    }
    case recordKinds.model: {
      const backend = asBackend(await reader.text());
      if (backend === undefined) throw new DamagedError('a model has no known backend');
      const device = await reader.text();
      const tag = await reader.bytes();
      const batch = {
        batchSize: await reader.number(),
        minBatchSize: await reader.number(),
        minBatchTimeoutMs: await reader.number(),
      };
      const names = backends[backend].needsNames && {
        inputs: await textsOf(reader),
        outputs: await textsOf(reader),
      };
      const bytes = new LendableBytes(await reader.bytes());
      return { kind: 'saved-model', backend, device, tag, batch, ...names, bytes };
    }
    case recordKinds.script: {
      const device = await reader.text();
      const tag = await reader.bytes();
      const entryPoints = await textsOf(reader);
      return { kind: 'saved-script', device, tag, entryPoints, source: await reader.bytes() };
    }
    default:
      throw new DamagedError('it holds something unknown');
  }
}
