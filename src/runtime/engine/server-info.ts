import type { Connection } from '../client/connection.js';

/** Fields of `INFO`, without their sections. */
export type Info = ReadonlyMap<string, string>;

/** Asks a server how it does. */
export async function readInfo(connection: Connection): Promise<Info> {
  const text = String(await connection.send('INFO', 'everything'));
  const fields = text.split('\r\n').flatMap((line) => {
    const at = line.indexOf(':');
    return line.startsWith('#') || at === -1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
  });
  return new Map(fields);
}
