import { beforeAll, describe, expect, test } from 'vitest';
import { ResultError, ScriptError } from '../../src/torchscript/index.js';
import { frameworksPython } from '../runtime/orchestrator/support/python.js';
import { onnxRuntime } from '../runtime/orchestrator/support/start.js';
import { cases } from './support/cases.js';
import { type Case, type Expected, type GivenTensor, pytorchResults } from './support/pytorch.js';
import { compiledResults, numbersOf } from './support/tensors.js';

const found = await frameworksPython();
const why =
  'missing' in found
    ? ` (skipped: ${found.missing})`
    : onnxRuntime === undefined
      ? ' (skipped: no onnxruntime-node)'
      : '';

/** Outputs in a form that shows what differs; floats have the digits that both must share. */
function shown(outputs: readonly GivenTensor[]): string {
  return outputs
    .map(({ dtype, shape, ...rest }) => `${dtype}[${shape}] ${numbersOf({ dtype, shape, ...rest })}`)
    .join(' | ');
}

function areEqual(one: readonly GivenTensor[], other: readonly GivenTensor[]): boolean {
  return one.length === other.length && one.every((tensor, at) => isEqual(tensor, other[at] as GivenTensor));
}

function isEqual(one: GivenTensor, other: GivenTensor): boolean {
  if (one.dtype !== other.dtype || String(one.shape) !== String(other.shape)) return false;
  const tolerance = { FLOAT: 2e-5, DOUBLE: 1e-9 }[one.dtype as string] ?? 0;
  const wanted = numbersOf(other);
  return numbersOf(one).every((number, at) => {
    const target = wanted[at] as number;
    return (
      Object.is(number, target) || number === target || Math.abs(number - target) <= tolerance * (1 + Math.abs(target))
    );
  });
}

/** Outcome of a case by the compiler: outputs, or the error. */
async function outcomeOf(one: Case, outputs: number): Promise<readonly GivenTensor[] | Error> {
  try {
    return await compiledResults(one, outputs);
  } catch (error) {
    return error as Error;
  }
}

describe.skipIf(why !== '')(`functions compiled to ONNX and by PyTorch${why}`, () => {
  let expected: Expected[];
  beforeAll(async () => {
    expected = await pytorchResults('python' in found ? found.python : '', cases);
  });

  test('give the same, or both refuse', async () => {
    const different: string[] = [];
    let raised = 0;
    for (const [at, one] of cases.entries()) {
      const wanted = expected[at] as Expected;
      const outcome = await outcomeOf(one, 'outputs' in wanted ? wanted.outputs.length : 1);
      if ('error' in wanted) {
        raised += 1;
        const isRefusal = outcome instanceof ScriptError || outcome instanceof ResultError;
        // A division by a zero that is known only at run time is ONNX Runtime's error.
        const isDivision =
          outcome instanceof Error && /ZeroDivision/.test(outcome.message) && /Zero/.test(wanted.error);
        if (!isRefusal && !isDivision) different.push(`${one.name}: PyTorch raises ${wanted.error}, not so ${outcome}`);
      } else if (outcome instanceof Error || !areEqual(outcome, wanted.outputs)) {
        const got = outcome instanceof Error ? outcome.stack : shown(outcome);
        different.push(`${one.name}: PyTorch gives ${shown(wanted.outputs)}, not ${got}`);
      }
    }
    expect(different).toEqual([]);
    expect(cases.length).toBeGreaterThan(1000);
    expect(raised).toBeGreaterThan(50);
  });
});
