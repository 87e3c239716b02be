import { expect } from 'vitest';
import { runPython } from './python.js';

/** A tensor as Python tells it. */
export interface Facts {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Answers of the library itself, and of its model or script in the store. */
export interface Answer {
  readonly wanted: Facts;
  readonly got: Facts;
}

/** By model or script and output. */
export type Answers = Readonly<Record<string, Readonly<Record<string, Answer>>>>;

/** Runs a script of this folder that ends with `Answers.print()`, on the store at an address. */
export async function askPython<T = Answers>(
  python: string,
  script: string,
  address: string,
  words: readonly string[] = [],
): Promise<T> {
  const env = { SSDB: address, SR_DB_TYPE: 'Standalone', OMP_NUM_THREADS: '1', TF_CPP_MIN_LOG_LEVEL: '3' };
  const output = await runPython(python, script, words, env);
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as T;
}

/** The answer of a name and an output, which has to be there. */
export function answerOf(answers: Answers, name: string, output: string): Answer {
  const answer = answers[name]?.[output];
  if (answer === undefined) throw new Error(`${name} has not answered ${output}`);
  return answer;
}

/** Expects values that are equal to so many decimal digits. */
export function expectClose(values: Iterable<number | bigint>, wanted: readonly number[], digits: number): void {
  const numbers = [...values].map(Number);
  expect(numbers).toHaveLength(wanted.length);
  for (const [index, value] of wanted.entries()) {
    expect(numbers[index], `value ${index}`).toBeCloseTo(value, digits);
  }
}

/** Expects the store's answer to be the library's: type, shape and values, which must not all be one. */
export function expectSame({ wanted, got }: Answer, digits = 4): void {
  expect({ dtype: got.dtype, shape: got.shape }).toEqual({ dtype: wanted.dtype, shape: wanted.shape });
  expect(new Set(wanted.values).size, 'different values').toBeGreaterThan(wanted.values.length > 1 ? 1 : 0);
  expectClose(got.values, wanted.values, digits);
}
