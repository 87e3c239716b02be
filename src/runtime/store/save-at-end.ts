import { join } from 'node:path';
import { Connection } from '../client/connection.js';
import { readSettings } from '../client/settings.js';
import { bytesOf, tensorOfReply } from '../client/tensor.js';
import { writeAtomically } from '../job/write-atomically.js';
import { npyHeader } from '../npy/npy.js';

/** Keys that one look asks for. */
const keysAtOnce = 1000;

/** Longest file name. */
const maxNameBytes = 255;

/**
 * Writes the tensors whose keys match one of the patterns as .npy into a folder, each whole or not at all. Says of each that cannot be
 * written why, and goes on. Returns how many were.
 */
export async function saveAtEnd(
  address: string,
  patterns: readonly string[],
  folder: string,
  onProblem: (message: string) => void,
): Promise<number> {
  const settings = readSettings({ SSDB: address, SR_CONN_TIMEOUT: '0' });
  const [place] = settings.addresses;
  if (place === undefined) return 0;
  const store = await Connection.open(place, settings);
  const saved = new Set<string>();
  try {
    for (const pattern of patterns) {
      for await (const key of tensorKeys(store, pattern)) {
        if (saved.has(key.toString('latin1'))) continue;
        try {
          await saveTensor(store, key, folder);
          saved.add(key.toString('latin1'));
        } catch (error) {
          onProblem(`'${key}' was not saved: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
    }
  } finally {
    await store.close();
  }
  return saved.size;
}

async function* tensorKeys(store: Connection, pattern: string): AsyncGenerator<Buffer> {
  let cursor = '0';
  do {
    const words = ['SCAN', cursor, 'MATCH', pattern, 'COUNT', String(keysAtOnce), 'TYPE', 'ai_tensor'];
    const [next, keys] = (await store.send(...words)) as [Buffer, Buffer[]];
    yield* keys;
    cursor = String(next);
  } while (cursor !== '0');
}

async function saveTensor(store: Connection, key: Buffer, folder: string): Promise<void> {
  const tensor = tensorOfReply(await store.send('AI.TENSORGET', key, 'META', 'BLOB'));
  const content = Buffer.concat([npyHeader(tensor.dtype, tensor.shape), bytesOf(tensor)]);
  writeAtomically(join(folder, fileNameOf(key)), content);
}

/** A key as a file's name: letters, digits and `._-{}` as they are, other bytes as `%2F`; no dot first. */
function fileNameOf(key: Buffer): string {
  const name = [...key]
    .map((byte, index) => {
      const sign = String.fromCharCode(byte);
      const isPlain = /[A-Za-z0-9._{}-]/.test(sign) && !(index === 0 && sign === '.');
      return isPlain ? sign : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
  if (name.length + '.npy'.length > maxNameBytes) throw new Error('its name is too long for a file');
  return `${name}.npy`;
}
