import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { backends } from '../../../ml/backends.js';
import type { LendableBytes } from '../bytes/lendable-bytes.js';
import type { Keyspace } from '../keyspace/keyspace.js';
import { letGo, type SnapshotEntry } from '../keyspace/snapshot.js';
import { CheckpointWriter } from './checkpoint-writer.js';
import { createFile, temporaryPath } from './files.js';
import { formatVersion, magic, recordKinds } from './format.js';
import type { CheckpointLock } from './lock.js';
import type { Fingerprint } from './record.js';

/**
 * Writes everything that is in the store now to a file, whole or not at all, while the store goes on, unless the lock is lost by then.
 * `onWritten` is called before the new file takes the place of the last; if it throws, the last one stays.
 */
export async function writeCheckpoint(
  keyspace: Keyspace,
  path: string,
  lock?: CheckpointLock,
  onWritten: (written: Fingerprint) => void = () => {},
): Promise<Fingerprint> {
  const temporary = temporaryPath(path);
  const snapshot = keyspace.snapshot();
  try {
    const file = await createFile(temporary);
    let written: Fingerprint;
    try {
      const writer = new CheckpointWriter(file);
      writer.raw(magic);
      writer.number(formatVersion);
      let records = 0;
      for (let entry = snapshot.next(); entry !== undefined; entry = snapshot.next()) {
        try {
          if (await writeEntry(writer, entry)) records += 1;
        } finally {
          letGo(entry.value);
        }
      }
      writer.byte(recordKinds.end);
      writer.number(records);
      written = await writer.end();
    } finally {
      await file.close();
    }
    await lock?.assertHeld();
    onWritten(written);
    await rename(temporary, path);
    await syncFolder(dirname(path));
    return written;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  } finally {
    snapshot.end();
  }
}

/** False if there is nothing to write any more: bytes can be lost with the thread that had them. */
async function writeEntry(writer: CheckpointWriter, entry: SnapshotEntry): Promise<boolean> {
  const { value } = entry;
  if ('bytes' in value) {
    const held = await pinned(value.bytes);
    if (held === undefined) return false;
    try {
      begin(writer, entry);
      if (value.kind === 'tensor') {
        writer.text(value.dtype);
        writer.number(value.shape.length);
        for (const dimension of value.shape) writer.number(dimension);
      } else if (value.kind === 'model') {
        writer.text(value.backend);
        writer.text(value.device);
        writer.bytes(value.tag);
        writer.number(value.batch.batchSize);
        writer.number(value.batch.minBatchSize);
        writer.number(value.batch.minBatchTimeoutMs);
        if (backends[value.backend].needsNames) {
          for (const names of [value.loaded.inputs, value.loaded.outputs]) {
            await writeAll(writer, names, (name) => writer.text(name));
          }
        }
      }
      // Small bytes are copied: they need not be pinned while the file is written.
      if (held.bytes.length <= smallBytes) writer.bytes(held.bytes);
      else await writer.large(held.bytes);
    } finally {
      held.release();
    }
  } else {
    begin(writer, entry);
    if (value.kind === 'list') await writeAll(writer, value.members, (member) => writer.bytes(member));
    else if (value.kind === 'hash') {
      await writeAll(writer, [...value.fields], ([field, content]) => {
        writer.text(field);
        writer.bytes(content);
      });
    } else {
      writer.text(value.device);
      writer.bytes(value.tag);
      await writeAll(writer, value.entryPoints, (name) => writer.text(name));
      writer.bytes(value.source);
    }
  }
  if (writer.isFull) await writer.flush();
  return true;
}

const smallBytes = 64 * 1024;

function begin(writer: CheckpointWriter, { key, value, expiresAtMs }: SnapshotEntry): void {
  writer.byte(recordKinds[value.kind]);
  writer.text(key);
  writer.number(expiresAtMs);
}

/** The number of items and the items. */
async function writeAll<Item>(
  writer: CheckpointWriter,
  items: readonly Item[],
  write: (item: Item) => void,
): Promise<void> {
  writer.number(items.length);
  for (const item of items) {
    write(item);
    if (writer.isFull) await writer.flush();
  }
}

/** The bytes, kept where they are until released. */
async function pinned(source: LendableBytes): Promise<{ bytes: Buffer; release: () => void } | undefined> {
  try {
    return await source.read((bytes) => ({ bytes, release: source.pin() }));
  } catch {
    await nextTurn();
    return undefined;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
