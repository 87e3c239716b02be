import { type TestFunction, test } from 'vitest';

/** True where tests run on the embedded store, false where another engine's stores take its place. */
export const isEmbedded: boolean = process.env['SIMWRIGHT_TEST_ENGINE'] === undefined;

/** Shards of the stores that tests run on; undefined where they are no cluster. */
export const shards: number | undefined = Number(process.env['SIMWRIGHT_TEST_SHARDS']) || undefined;

/** A test of what the embedded store alone has: another engine leaves it to its server. */
export const embeddedTest: (name: string, body: TestFunction) => void = isEmbedded ? test : () => undefined;

/** A test of what stores on a server alone have. */
export const serverTest: (name: string, body: TestFunction) => void = isEmbedded ? () => undefined : test;

/** A number's text as JavaScript writes it: servers write doubles in RESP3 with as many digits as they like. */
export function plainNumber(text: unknown): unknown {
  if (isEmbedded || typeof text !== 'string') return text;
  return text === '' || !Number.isFinite(Number(text)) ? text : String(Number(text));
}

/** Tests of what a cluster does otherwise by its nature, or need not do again, each with the reason. */
const notInClusters: Readonly<Record<string, string>> = {
  'a cluster of one': 'it has as many servers as shards',
  'are shared with clients that put a shard prefix before their names':
    'each shard has a model under its own prefix only',
  'commands that wait':
    'a server tells those who wait for keys of another shard where that is: rows for each shard try them',
  'an inference thread that cannot be started is reported, again and again': 'servers are no part of it',
  'without ONNX Runtime storing a model says so': 'servers are no part of it',
  'eight processes at once': 'they run on each number of shards by themselves',
};

type Define = (name: string, body: () => void | Promise<void>) => void;

/** A test, or a suite of them, that runs on single servers only. */
export const onOneServer =
  (define: Define): Define =>
  (name, body) => {
    if (notInClusters[name] === undefined) throw new Error(`no reason is given why no cluster passes '${name}'`);
    if (shards === undefined) define(name, body);
  };
