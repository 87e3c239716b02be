import type { ClientFacts } from './client-facts.js';
import { mayNest } from './table.js';
import { keyword, latin1 } from './words.js';

/** TIMEOUT that SmartRedis sends with AI.MODELEXECUTE, in milliseconds: 60,000 s, unless SR_MODEL_TIMEOUT says otherwise. */
const defaultTimeout = '60000000';
/** Prefix that SmartRedis puts before the names of models and scripts on a cluster: bytes of a shard's first slot. */
const shardPrefix = /^\{[^{}]{2,3}\}\./s;

/**
 * True if a late reply to the request may come nested in arrays: to SmartRedis alone, which is recognised by what only its clients
 * send. Others would take the arrays for the reply.
 */
export function repliesMayNest(client: ClientFacts, words: readonly Buffer[]): boolean {
  if (client.introduced || client.protocol !== 2 || client.transaction !== undefined || !mayNest(words)) return false;
  client.isSmartRedis ||= hasForm(words);
  return client.isSmartRedis;
}

function hasForm(words: readonly Buffer[]): boolean {
  if (shardPrefix.test(latin1(words[1]))) return true;
  return (
    keyword(words[0]) === 'AI.MODELEXECUTE' &&
    latin1(words.at(-1)) === defaultTimeout &&
    latin1(words.at(-2)) === 'TIMEOUT'
  );
}
