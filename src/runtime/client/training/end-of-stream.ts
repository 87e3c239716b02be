import type { Client } from '../client.js';
import { Dataset } from '../dataset.js';
import { formName } from './info.js';

/** State in which a stream has ended: `failed` if more should have come. */
export type EndState = 'complete' | 'failed';

/** Message that a producer publishes at its end. */
export interface End {
  readonly state: EndState;
  /** Batches that it has put. */
  readonly batches: number;
  /** Producers that put batches into the same list, each with a rank. */
  readonly ranks: number;
}

/** Name of the data set in which a producer publishes its end. */
export function endName(listName: string, rank: number | undefined): string {
  return formName(listName, 'end', rank);
}

export function endDataset(listName: string, rank: number | undefined, { state, batches, ranks }: End): Dataset {
  return new Dataset(endName(listName, rank))
    .addMetaScalar('batches', BigInt(batches))
    .addMetaScalar('ranks', BigInt(ranks))
    .addMetaString('state', state);
}

/** State in which all producers of a list in the client's data source have ended; undefined while one goes on. */
export async function publishedEnd(client: Client, listName: string): Promise<EndState | undefined> {
  const alone = await endOfRank(client, listName, undefined);
  if (alone !== undefined) return alone.state;
  const first = await endOfRank(client, listName, 0);
  if (first === undefined) return undefined;
  let { state } = first;
  for (let rank = 1; rank < first.ranks; rank++) {
    const end = await endOfRank(client, listName, rank);
    if (end === undefined) return undefined;
    if (end.state === 'failed') state = 'failed';
  }
  return state;
}

async function endOfRank(client: Client, listName: string, rank: number | undefined): Promise<End | undefined> {
  const name = endName(listName, rank);
  if (!(await client.datasetExists(name))) return undefined;
  const dataset = await client.getDataset(name);
  return {
    state: dataset.getMetaStrings('state')[0] === 'failed' ? 'failed' : 'complete',
    batches: Number(dataset.getMetaScalars('batches')[0]),
    ranks: Number(dataset.getMetaScalars('ranks')[0]),
  };
}
