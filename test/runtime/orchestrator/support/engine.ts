import { type TestFunction, test } from 'vitest';

/** True where tests run on the embedded store, false where another engine's stores take its place. */
export const isEmbedded: boolean = process.env['SIMWRIGHT_TEST_ENGINE'] === undefined;

/** A test of what the embedded store alone has: another engine leaves it to its server. */
export const embeddedTest: (name: string, body: TestFunction) => void = isEmbedded ? test : () => undefined;

/** A test of what stores on a server alone have. */
export const serverTest: (name: string, body: TestFunction) => void = isEmbedded ? () => undefined : test;

/** A number's text as JavaScript writes it: servers write doubles in RESP3 with as many digits as they like. */
export function plainNumber(text: unknown): unknown {
  if (isEmbedded || typeof text !== 'string') return text;
  return text === '' || !Number.isFinite(Number(text)) ? text : String(Number(text));
}
