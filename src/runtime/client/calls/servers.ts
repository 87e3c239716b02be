import { ClientError } from '../client-error.js';
import { infoOf } from '../info.js';
import type { Shards } from '../shards.js';

/** A server's facts about itself, by section and name. */
export type ServerInfo = Readonly<Record<string, Readonly<Record<string, string>>>>;

export async function info(shards: Shards, address: string | undefined): Promise<ServerInfo> {
  return infoOf(String(await shards.at(address).send('INFO', 'EVERYTHING')));
}

export async function clusterInfo(shards: Shards, address: string | undefined): Promise<Record<string, string>> {
  if (!shards.clustered) throw new ClientError('the store is no cluster');
  const text = String(await shards.at(address).send('CLUSTER', 'INFO'));
  return infoOf(`# all\r\n${text}`)['all'] ?? {};
}

export async function aiInfo(
  shards: Shards,
  name: string,
  address: string | undefined,
): Promise<Record<string, string>> {
  const shard = shards.at(address);
  const reply = await shard.send('AI.INFO', shard.modelKey(name));
  if (!Array.isArray(reply)) throw new ClientError('the server did not answer with statistics');
  return pairsOf(reply);
}

export async function configGet(
  shards: Shards,
  pattern: string,
  address: string | undefined,
): Promise<Record<string, string>> {
  const reply = await shards.at(address).send('CONFIG', 'GET', pattern);
  return pairsOf(Array.isArray(reply) ? reply : []);
}

/** Names and values in turn, as text. */
function pairsOf(words: readonly unknown[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (let at = 0; at + 1 < words.length; at += 2) values[String(words[at])] = String(words[at + 1]);
  return values;
}
