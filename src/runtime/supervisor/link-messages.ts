import { createHmac, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import { ClusterChange, ClusterPart } from './cluster-layout.js';
import { StoreWord } from './messages.js';

/*
 * The link between a supervisor and a store's process that a launcher has started: a TCP connection, which the process opens, with a line of
 * JSON a message. Each proves to the other that it knows the secret, which itself is never sent.
 */

/** Bytes that a stranger may send before the link is cut. */
export const mostBytesOfStrangers = 4096;

/** Place of a supervisor, and the secret of one start of a store. */
export interface LinkPlace {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
}

/** The place as the value of `SIMWRIGHT_STORE_LINK`. */
export function formatLinkPlace({ host, port, secret }: LinkPlace): string {
  return `${host}:${port}:${secret}`;
}

/** The place that a value of `SIMWRIGHT_STORE_LINK` names; `undefined` for a malformed one. */
export function parseLinkPlace(text: string): LinkPlace | undefined {
  const [, host, port, secret] = /^([\d.]+):(\d{1,5}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (host === undefined || port === undefined || secret === undefined) return undefined;
  return { host, port: Number(port), secret };
}

/** Proof that one end of the link, in its part, knows the secret. */
export function proofOf(secret: string, part: 'store' | 'supervisor', challenge: string): string {
  return createHmac('sha256', secret).update(`${part} ${challenge}`).digest('hex');
}

/** True for two proofs that are the same, in a time that tells nothing. */
export function sameProof(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}

const text = z.string().max(200);

/** First word of the supervisor to whoever connects. */
export const Challenge = z.object({ challenge: text });

/** Answer of a store's process. */
export const Hello = z.object({
  hello: z.object({ id: text, host: text, proof: text, challenge: text }),
});

/** The supervisor's proof, milliseconds between two beats, and variables that the launcher may not have handed on. */
export const Welcome = z.object({
  welcome: z.object({
    proof: z.string(),
    beatMs: z.number().positive(),
    environment: z.record(z.string(), z.string()),
  }),
});
export type Welcome = z.infer<typeof Welcome>;

/** Sign of life. */
const Beat = z.object({ beat: z.literal(true) });

/** Messages to a store's process: without a key a question asks only for an answer; its part of a cluster, once all nodes have offered places, and what becomes of the servers of others. */
export const ToStore = z.union([
  Beat,
  z.object({ question: z.int(), key: z.string().optional() }),
  z.object({ cluster: ClusterPart }),
  z.object({ change: ClusterChange }),
]);
export type ToStore = z.infer<typeof ToStore>;

/** Messages of a store's process: signs of life, answers, words. */
export const FromStore = z.union([
  Beat,
  z.object({ answer: z.int(), exists: z.boolean().optional() }),
  z.object({ word: StoreWord }),
]);
export type FromStore = z.infer<typeof FromStore>;
